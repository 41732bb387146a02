import type {ExecutionContext} from 'ava';
import {codeOf} from '../../core/plugins/bundle.ts';
import type {ModelQuestion} from '../../plugin-sdk/index.ts';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {freshFolder} from './config-file.ts';
import {startGateway, type TestGateway} from './gateway.ts';
import {writePlugin} from './inline-world.ts';

type Entry = Exclude<NonNullable<GatewayConfigInput['plugins']>[number], string>;

/** What the asker's caller may have it do with a list of questions. */
export type Errand = {
	ask: (ModelQuestion & {asking?: string})[];
	/** Together; or else one after the other. */
	together?: boolean;
	/** By what was lent to it in an earlier call. */
	late?: boolean;
	/** Waiting for the first answer alone. */
	race?: boolean;
};

export type Told = {value?: {status: number; body: Record<string, unknown>}; error?: {code: string; message: string}};

const before = `
let kept;
const errandIn = text => { try { return JSON.parse(text.at(-1)); } catch { return undefined; } };
const run = async (errand, {models}) => {
	if (errand.race) return [await Promise.race(errand.ask.map(question => models.ask(question)))];
	if (errand.together) return Promise.all(errand.ask.map(question => models.ask(question)));
	const told = [];
	for (const question of errand.ask) told.push(await models.ask(question));
	return told;
};
`;

/** A plugin that asks models what its caller says, in its last text as JSON, and tells its caller what it was told. */
export const asker = async (t: ExecutionContext, models: string[], more: Partial<Entry> = {}, timeoutMs = 20_000): Promise<Entry> => {
	const name = more.as ?? 'asker';
	const folder = await writePlugin(freshFolder(t), {
		name,
		before,
		capabilities: ['models'],
		reads: {'pre-request': ['text[]'], 'post-response': ['outcome']},
		limits: {timeoutMs},
		hooks: `hooks: {
			async 'pre-request'({text}, host) {
				const errand = errandIn(text);
				if (!errand) return undefined;
				const lent = errand.late ? kept : host;
				kept = host;
				return {verdict: 'respond', response: {text: JSON.stringify(await run(errand, lent))}};
			},
			'post-response': () => undefined,
		}`,
	});
	const {tier = 'inline', ...rest} = more;
	const trust = tier === 'inline' ? {trust: (await codeOf(folder, 'isolate')).digest} : {};
	return {use: folder, tier, ...trust, grants: {models}, ...rest};
};

/** A gateway whose callers can have the plugin ask. */
export const askingGateway = async (
	t: ExecutionContext,
	{
		models = ['local/guard'],
		more,
		plugins = [],
		config = {},
		folder,
	}: {folder?: string; models?: string[]; more?: Partial<Entry>; plugins?: Entry[]; config?: GatewayConfigInput} = {},
): Promise<TestGateway & {apiKey: string; ask(errand: Errand): Promise<Told[]>; post(errand: Errand): Promise<Response>}> => {
	const gateway = await startGateway(t, {...config, plugins: [{use: 'virtual-keys'}, ...plugins, await asker(t, models, more)]}, {folder});
	const apiKey = await gateway.key();
	const post = (errand: Errand) =>
		fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: 'fast', messages: [{role: 'user', content: JSON.stringify(errand)}]}),
		});
	return {
		...gateway,
		apiKey,
		post,
		async ask(errand) {
			const response = await post(errand);
			const {choices, error} = (await response.json()) as {choices?: [{message: {content: string}}]; error?: {message: string}};
			if (!choices) throw new Error(error?.message);
			return JSON.parse(choices[0].message.content) as Told[];
		},
	};
};

export const saying = (content: string) => ({messages: [{role: 'user', content}]});
