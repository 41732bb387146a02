import {once} from 'node:events';
import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';
import {codeOf} from '../../core/plugins/bundle.ts';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {freshFolder} from './config-file.ts';
import {writePlugin} from './inline-world.ts';

type Entry = Exclude<NonNullable<GatewayConfigInput['plugins']>[number], string>;
type Message = {role: string; content: string};
type Asked = {path: string; authorization: string | undefined; model: string; input?: string; messages?: Message[]};

export const judgeKey = 'sk-judge-0123456789abcdef';

const isBad = (text: string): boolean => /\bbad\b/.test(text);

const json = (res: ServerResponse, body: unknown): void => {
	res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(body));
};
const chat = (res: ServerResponse, content: string): void =>
	json(res, {
		choices: [{index: 0, message: {role: 'assistant', content}, finish_reason: 'stop'}],
		usage: {prompt_tokens: 40, completion_tokens: 8},
	});

/** How each model answers about a text; "bad" is what they are against. */
const models: Record<string, (asked: Asked, res: ServerResponse) => void> = {
	words: ({messages}, res) => {
		const [name, line] = messages!.at(-1)!.content.split('\n');
		const bad = isBad(String(JSON.parse(line!)));
		chat(res, JSON.stringify({id: name, verdict: bad ? 'attack' : 'harmless', score: bad ? 0.97 : 0.03}));
	},
	'llama-guard': ({messages}, res) => chat(res, isBad(messages!.at(-1)!.content) ? 'unsafe\nS10' : 'safe'),
	'prompt-guard': ({messages}, res) => chat(res, isBad(messages!.at(-1)!.content) ? '0.998' : '0.001'),
	moderation: ({input}, res) => {
		const score = isBad(input!) ? 0.93 : 0.002;
		json(res, {
			id: 'modr-1',
			model: 'moderation',
			results: [
				{
					flagged: score > 0.5,
					categories: {hate: score > 0.5, 'self-harm/intent': false},
					category_scores: {hate: score, 'self-harm/intent': 0.01},
				},
			],
		});
	},
	slow: () => undefined,
	broken: (_, res) => void res.writeHead(503).end(),
	garbled: (_, res) => void res.writeHead(200, {'content-type': 'application/json'}).end('safe'),
	/** Does what the text tells it. */
	obedient: ({messages}, res) => chat(res, messages!.at(-1)!.content),
};

/** A real server that gives opinions in the shapes of the models people use, and everything it was asked. */
export const opinionServer = async (t: ExecutionContext): Promise<{baseUrl: string; asked: Asked[]}> => {
	const asked: Asked[] = [];
	const server = createServer((req, res) => {
		let body = '';
		req.setEncoding('utf8').on('data', (text: string) => {
			body += text;
		});
		req.on('end', () => {
			const one: Asked = {path: req.url!, authorization: req.headers.authorization, ...JSON.parse(body)};
			asked.push(one);
			models[one.model]!(one, res);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return {baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked};
};

/** A guard that is unsure (0.7) of every text with "maybe" in it, and sure (0.99) of one with "surely". */
export const unsureGuard = async (t: ExecutionContext): Promise<Entry> => {
	const reads = ['text[]', 'channels[]'];
	const folder = await writePlugin(freshFolder(t), {
		name: 'unsure',
		reads: {'pre-request': reads, 'post-response': reads},
		before: `
const looked = ({text, channels}) => {
	const findings = text.flatMap((part, index) => {
		const score = part.includes('maybe') ? 0.7 : part.includes('surely') ? 0.99 : 0;
		return score > 0 ? [{detector: 'words', category: 'injection', severity: 'high', score, channel: channels[index], action: 'flag'}] : [];
	});
	return findings.length > 0 ? allow({findings}) : undefined;
};`,
		hooks: `hooks: {'pre-request': looked, 'post-response': looked}`,
	});
	return {use: folder, tier: 'inline', trust: (await codeOf(folder, 'isolate')).digest};
};
