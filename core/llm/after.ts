import type {HookAnswer} from '../../schemas/hooks.ts';
import type {Channel} from '../../schemas/verdict.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Fields} from '../hooks.ts';
import type {Value} from '../sandbox/isolate.ts';
import {packed, principalField} from './asked.ts';
import {jsonForPlugins} from './exact.ts';

type Rewrite = Extract<HookAnswer<'post-response'>, {verdict: 'rewrite'}>;

/** What post-response may read beside what the exchange knows already. */
export type Shown = {
	text?: () => readonly string[];
	/** Where each of `text` came from; without it, from a model. */
	channels?: () => readonly Channel[];
	/** Which of `text` are the answer; without it, all that came from a model. */
	answers?: () => readonly number[];
	tools?: () => unknown;
	result?: () => unknown;
	window?: {channel: number; text: string; final: boolean; from: Channel; name?: string; isAnswer?: boolean};
};

export const responseFields = (exchange: Exchange, {text, channels, answers, tools, result, window}: Shown = {}): Fields => {
	const json = (value: unknown): Value => (value === undefined ? undefined : JSON.stringify(value));
	const told = (value: unknown): Value => (value === undefined ? undefined : jsonForPlugins(value));
	const origins = () => channels?.() ?? text?.().map((): Channel => 'assistant') ?? [];
	const answering = () => answers?.() ?? origins().flatMap((channel, index) => (channel === 'assistant' ? [index] : []));
	return path => {
		switch (path) {
			case 'operation':
				return exchange.operation;
			case 'outcome':
				return exchange.outcome ?? 'ok';
			case 'status':
				return exchange.status ?? 200;
			case 'text[]':
				return packed(text?.() ?? []);
			case 'channels[]':
				return json(window ? [window.from] : origins());
			case 'answers':
				return json(window ? (window.isAnswer ? [0] : []) : answering());
			case 'window':
				return json(window && {channel: window.channel, text: window.text, final: window.final, name: window.name});
			case 'usage':
				return json(exchange.usage);
			case 'costMicroUsd':
				return exchange.costMicroUsd;
			case 'attempts':
				return json(exchange.attempts);
			case 'tools':
				return json(tools?.());
			case 'result':
				return told(result?.());
			case 'latency':
				return json({totalMs: performance.now() - exchange.startedMs, upstreamMs: exchange.upstreamMs});
			default:
				if (path.startsWith('principal.')) return principalField(exchange.principal, path);
				return path.startsWith('carried@') ? exchange.carried.get(path.slice('carried@'.length)) : undefined;
		}
	};
};

/**
 * Asks post-response about an exchange that has ended without a reply to look at. Its outcome stands: what a plugin says
 * against it can refuse nothing any more, and is only logged.
 */
export const afterResponse = async (
	{hooks, log}: {hooks: Gateway['hooks']; log: Pick<Gateway['log'], 'warn'>},
	exchange: Exchange,
	shown?: Shown,
): Promise<void> => {
	if (!hooks.listens('post-response', exchange)) return;
	try {
		await hooks.ask('post-response', exchange, responseFields(exchange, shown), () => undefined);
	} catch (error) {
		log.warn({exchange: exchange.id, err: error}, 'post-response of an exchange that had ended already');
	}
};

/** Asks post-response about a reply the client has not seen yet. Throws GatewayError where it must not. */
export const beforeReply = async (
	{hooks}: Pick<Gateway, 'hooks'>,
	exchange: Exchange,
	shown: Shown,
	rewrite: (patch: Rewrite['patch']) => void,
): Promise<void> => {
	if (!hooks.listens('post-response', exchange)) return;
	await hooks.ask('post-response', exchange, responseFields(exchange, shown), verdict => {
		if (verdict.verdict === 'rewrite') rewrite(verdict.patch);
	});
};
