/** A plugin that does what the text of a request asks for, and says how that went. */
export const obligingPlugin = `
import * as z from 'zod';
import {action, allow, definePlugin, deny, refuse} from 'sallyport/plugin-sdk';

let calls = 0;
const does = {
	calls: () => String(++calls),
	config: host => host.config.word,
	get: host => JSON.stringify(host.kv.get('a') ?? null),
	list: host => JSON.stringify(host.kv.list('')),
	put: async host => JSON.stringify([await host.kv.put({a: 'written'}), host.kv.get('a')]),
	fetch: async host => JSON.stringify(await host.http.fetch({url: 'http://a.example/'})),
	log: host => { host.log.warn('look', {n: 1}); host.metrics.count('seen', 2); return 'said'; },
	secret: host => host.secrets.get('token'),
	process: () => [typeof process, typeof fetch, typeof setTimeout, typeof Buffer, typeof WebAssembly].join(),
};

export default definePlugin({
	config: z.object({word: z.string().default('none')}),
	hooks: {
		async 'pre-request'({model, text}, host) {
			if (model === 'silent') return;
			if (model === host.config.word) return deny({message: 'no ' + model});
			const said = await does[text[0]]?.(host);
			return allow({annotate: {said: said ?? text.join('|')}});
		},
		'post-response': ({costMicroUsd}) => allow({annotate: {cost: costMicroUsd === undefined ? 'missing' : costMicroUsd}}),
	},
	actions: {
		add: action({description: 'adds', input: z.strictObject({n: z.int()}), run: async ({n}, host) => ((await host.kv.put({sum: n})), n + 1)}),
		refuse: action({description: 'refuses', input: z.object({}), run: () => { throw refuse('conflict', 'not now'); }}),
		never: action({description: 'never ends', input: z.object({}), run: () => new Promise(() => undefined)}),
		fetch: action({description: 'takes as long as that does', input: z.object({}), run: async (input, host) => (await host.http.fetch({url: 'http://a.example/'})).value.status}),
		invent: action({description: 'a code of its own', input: z.object({}), run: () => { throw Object.assign(new Error('x'), {sallyport: 'constructor'}); }}),
	},
});
`;
