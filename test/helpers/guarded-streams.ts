import type {ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {freshFolder} from './config-file.ts';
import {providerKey, startGateway} from './gateway.ts';
import {writePlugin} from './inline-world.ts';
import {type Script, scriptedUpstream} from './scripted-upstream.ts';

export type DialectName = 'openai' | 'anthropic';
export type Event = Record<string, unknown>;

/** One value for each guard, and what is shown in its place. */
export const hidden = {
	masking: 'ada.lovelace@example.com',
	card: '4111 1111 1111 1111',
	secrets: 'ghp_x7Qm2LkP9vRt4WzB8nYc3HdF6sJg1AeU5iKo',
	'word-list': 'Café Fälcon 😀 7711',
	herons: 'heron-0815-abcdef',
} as const;
export const values: readonly string[] = Object.values(hidden);

/** A guard in the process tier that knows one word, and says itself what it clears. */
const herons = `
const word = '${hidden.herons}';
const open = (text, final) => {
	for (let length = Math.min(word.length - 1, text.length); length > 0 && !final; length--) if (text.endsWith(word.slice(0, length))) return length;
	return 0;
};
`;

export const heronGuard = async (t: ExecutionContext, action: 'mask' | 'deny') => {
	const refusal = `deny({code: 'content_blocked', message: 'No herons.'})`;
	const folder = await writePlugin(freshFolder(t), {
		name: 'herons',
		before: herons,
		reads: {'post-response': ['text[]', 'window']},
		hooks: `hooks: {
			'post-response': ({text, window}) => {
				const seen = window ? [window.text] : text;
				if (!seen.some(part => part.includes(word))) return window && allow({clear: window.text.length - open(window.text, window.final)});
				if (${action === 'deny'}) return ${refusal};
				if (!window) return rewrite({text: Object.fromEntries(text.map((part, index) => [index, part.replaceAll(word, '[BIRD]')]))});
				const clear = window.text.length - open(window.text, window.final);
				return rewrite({window: window.text.slice(0, clear).replaceAll(word, '[BIRD]')}, {clear});
			},
		}`,
		window: {chars: 0, overlap: 64},
	});
	return {use: folder, tier: 'process' as const};
};

/** Lets every tool call pass, after the gateway has held it back for this. */
export const callJudge = async (t: ExecutionContext) => {
	const hooks = `hooks: {'on-tool-call': () => undefined}`;
	const folder = await writePlugin(freshFolder(t), {
		name: 'judge-of-calls',
		reads: {'on-tool-call': ['tool.name', 'tool.arguments']},
		hooks,
	});
	return {use: folder, tier: 'process' as const};
};

/** A gateway in front of a provider that says what the test tells it, with real guards that mask, or that refuse. */
export const guardedGateway = async (
	t: ExecutionContext,
	action: 'mask' | 'deny',
	{others = [], ...more}: GatewayConfigInput & {others?: NonNullable<GatewayConfigInput['plugins']>} = {},
) => {
	const {baseUrl, script} = await scriptedUpstream(t);
	const kinds = ['email', 'card'];
	const modes = action === 'deny' ? {modes: Object.fromEntries(kinds.map(kind => [kind, 'deny']))} : {};
	const gateway = await startGateway(t, {
		providers: {local: {speaks: 'openai', baseUrl, key: providerKey}, claude: {speaks: 'anthropic', baseUrl, key: providerKey}},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'masking', config: {mask: kinds, in: ['response'], ...modes}},
			{use: 'secrets', config: {in: ['response'], action}},
			{use: 'word-list', config: {words: [hidden['word-list']], action}},
			await heronGuard(t, action),
			...others,
		],
		...more,
	});
	const key = await gateway.key();

	/** All that the client of one request sees. */
	const seen = async (dialect: DialectName, answer: Script, stream = true) => {
		const isOpenai = dialect === 'openai';
		const response = await fetch(`${gateway.url}${isOpenai ? '/v1/chat/completions' : '/v1/messages'}`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({
				model: isOpenai ? 'local/any' : 'claude/any',
				max_tokens: 500,
				stream,
				...(isOpenai && stream && {stream_options: {include_usage: true}}),
				messages: [{role: 'user', content: script(answer)}],
			}),
		});
		const text = await response.text();
		return {status: response.status, headers: JSON.stringify([...response.headers]), text};
	};

	return {gateway, key, script, seen};
};

/** An event as each provider sends it. */
export const sse = (dialect: DialectName, event: Event): string =>
	`${dialect === 'anthropic' ? `event: ${String(event.type)}\n` : ''}data: ${JSON.stringify(event)}\n\n`;

export const chunkOf = (choice: Event, more: Event = {}): Event => ({
	id: 'chatcmpl-1',
	object: 'chat.completion.chunk',
	created: 1_780_000_000,
	model: 'gpt-5-mini',
	choices: [{index: 0, finish_reason: null, ...choice}],
	...more,
});

const usage = {prompt_tokens: 3, completion_tokens: 3, total_tokens: 6};

/** A whole stream around these events. */
export const streamOf = (dialect: DialectName, events: readonly (Event | string)[]): string => {
	const said = events.map(event => (typeof event === 'string' ? event : sse(dialect, event))).join('');
	if (dialect === 'openai')
		return `${said}${sse(dialect, chunkOf({delta: {}, finish_reason: 'stop'}))}${sse(dialect, {...chunkOf({}), choices: [], usage})}data: [DONE]\n\n`;
	const start = {
		type: 'message_start',
		message: {
			id: 'msg_1',
			type: 'message',
			role: 'assistant',
			model: 'claude',
			content: [],
			stop_reason: null,
			usage: {input_tokens: 3, output_tokens: 1},
		},
	};
	const end = {type: 'message_delta', delta: {stop_reason: 'end_turn', stop_sequence: null}, usage: {output_tokens: 3}};
	return `${sse(dialect, start)}${said}${sse(dialect, end)}${sse(dialect, {type: 'message_stop'})}`;
};

/** Every run of eight characters, none of which may be seen. */
const tracesOf = (value: string): string[] => Array.from({length: value.length - 7}, (_, at) => value.slice(at, at + 8));

const unescaped = (text: string): string =>
	text.replaceAll(/\\u([\da-fA-F]{4})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** Strings that a client would add up, by the place they stand in. */
export const sumsOf = (text: string): string[] => {
	const sums = new Map<string, string>();
	const add = (value: unknown, path: string): void => {
		if (typeof value === 'string' || typeof value === 'number') sums.set(path, (sums.get(path) ?? '') + String(value));
		else if (Array.isArray(value))
			for (const [index, item] of value.entries()) add(item, `${path}.${(item as Event | null)?.index ?? index}`);
		else if (typeof value === 'object' && value !== null) for (const [key, item] of Object.entries(value)) add(item, `${path}.${key}`);
	};
	for (const line of text.split('\n')) {
		if (!line.startsWith('data: {')) continue;
		const event = JSON.parse(line.slice('data: '.length)) as Event;
		// Blocks are told apart by their index, like choices.
		add(event, typeof event.index === 'number' ? `${event.index}` : '');
	}
	return [...sums.values()];
};

/** The first piece of a value that can be read in what a client got, in whatever way clients read. */
export const leakIn = ({headers, text}: {headers: string; text: string}, of: readonly string[] = values): string | undefined => {
	const sums = sumsOf(text);
	const all = [headers, text, ...sums].flatMap(part => [part, unescaped(part), unescaped(unescaped(part.replaceAll('\\\\', '\\')))]);
	return of.flatMap(tracesOf).find(trace => all.some(part => part.includes(trace)));
};
