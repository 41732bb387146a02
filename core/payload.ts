import type {Payload} from '../schemas/record.ts';
import type {Channel} from '../schemas/verdict.ts';
import type {Exchange} from './exchange.ts';
import type {Gateway} from './gateway.ts';

type Keeper = Pick<Gateway, 'config'>;

/** The words of an answer, and where each came from. */
export type Words = {text: readonly string[]; channels: readonly Channel[]};

/** Most characters that are kept of one side of an exchange. */
export const payloadChars = ({config}: Keeper): number => config.journal.payloadKb * 1_024;

/** Keeps a request, as JSON, that all plugins have let pass; nothing unless the journal is to have payloads. */
export const keepRequest = (gateway: Keeper, exchange: Exchange, json: () => string): void => {
	if (gateway.config.journal.payloads !== 'masked') return;
	const request = json();
	exchange.restorers = new Set(exchange.carried.keys());
	exchange.payload = request.length <= payloadChars(gateway) ? {request} : {leftOut: {request: 'large'}};
};

const isRestored = ({restorers, rulings}: Exchange): boolean =>
	rulings.some(
		({hook, verdict, plugin, mode}) =>
			hook === 'post-response' && verdict === 'rewrite' && mode !== 'observe' && restorers?.has(plugin) === true,
	);

/** Keeps the words of an answer as all plugins have left them, where its request was let pass. */
export const keepReply = (gateway: Keeper, exchange: Exchange, words: () => Words | undefined): void => {
	const {payload} = exchange;
	if (!payload) return;
	const leaveOut = (response: 'large' | 'restored'): Payload => ({...payload, leftOut: {...payload.leftOut, response}});
	if (isRestored(exchange)) {
		exchange.payload = leaveOut('restored');
		return;
	}
	const said = words();
	if (said === undefined || said.text.reduce((chars, text) => chars + text.length, 0) > payloadChars(gateway)) {
		exchange.payload = leaveOut('large');
		return;
	}
	exchange.payload = {...payload, response: said.text.map((text, index) => ({channel: said.channels[index] ?? 'assistant', text}))};
};
