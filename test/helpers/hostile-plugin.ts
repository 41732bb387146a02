/** A plugin that does what its config says, to the process it lives in. */
export const hostilePlugin = `
import * as z from 'zod';
import {allow, definePlugin} from 'sallyport/plugin-sdk';

const attacks = {
	none: () => undefined,
	'loops': () => { for (;;); },
	'recurses': () => { const again = () => again() + 1; return again(); },
	'allocates arrays': () => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); },
	'allocates buffers': () => { const all = []; for (;;) all.push(new Uint8Array(10_000_000).fill(1)); },
	'allocates strings': () => { let text = 'x'.repeat(1000); const all = []; for (;;) all.push((text + all.length).split('').join('-')); },
	'fills a Map with 2^24 entries': () => { const map = new Map(); for (let at = 0; at <= 2 ** 24; at++) map.set(at, at); return map.size; },
	'blows up a BigInt': () => { let big = 3n; for (;;) big *= big; },
	'searches a giant sparse array': () => Array(2 ** 32 - 1).indexOf(1),
	'replaces in 100 MB': () => 'a'.repeat(1e8).replaceAll('a', 'bb').length,
	'sorts a giant array': () => Array(2 ** 25).fill(0).map((_, at) => -at).sort().length,
	'fills a giant array': () => Array(2 ** 27).fill(1.5).length,
	'backtracks': () => /^(a+)+$/.test('a'.repeat(60) + 'b'),
	'waits for an atomic': () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
	'loops in WebAssembly': () => {
		const code = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11]);
		new WebAssembly.Instance(new WebAssembly.Module(code)).exports.f();
	},
	'throws an error with a looping message': () => { throw Object.defineProperty(new Error('x'), 'message', {get() { for (;;); }}); },
	'throws an error with a looping stack': () => { throw Object.defineProperty(new Error('x'), 'stack', {get() { for (;;); }}); },
	'throws an error with a looping name': () => { throw Object.defineProperty(new Error('x'), 'name', {get() { for (;;); }}); },
	'prepares stack traces in a loop': () => { Error.prepareStackTrace = () => { for (;;); }; throw new Error('x'); },
	'throws a Proxy': () => { throw new Proxy(new Error('x'), {get() { for (;;); }, getOwnPropertyDescriptor() { for (;;); }, getPrototypeOf() { for (;;); }}); },
	'throws a Proxy that throws': () => { throw new Proxy({}, {get() { throw 1; }, getOwnPropertyDescriptor() { throw 1; }}); },
	'throws nothing': () => { throw undefined; },
	'throws a function': () => { throw () => undefined; },
	'answers 200 MB': () => allow({annotate: {text: 'x'.repeat(2e8)}}),
	'logs 200 MB': host => host.log.info('x'.repeat(2e8)),
	'asks kv for 200 MB': host => host.kv.get('x'.repeat(2e8)) ?? 1n,
	'answers a cycle': () => { const all = {verdict: 'allow'}; all.all = all; return all; },
	'answers a BigInt': () => ({verdict: 'allow', big: 1n}),
	'answers with a looping toJSON': () => ({toJSON() { for (;;); }}),
	'answers with a looping then': () => ({get then() { for (;;); }}),
	'answers with a throwing then': () => ({get then() { throw 1; }}),
	'answers a function': () => () => 1,
	'breaks JSON': () => { JSON.stringify = () => { for (;;); }; String.prototype.startsWith = () => { for (;;); }; return {verdict: 'allow', x: 1}; },
	'never settles': () => new Promise(() => undefined),
	'rejects with a Proxy': async () => { throw new Proxy({}, {get() { for (;;); }, getOwnPropertyDescriptor() { for (;;); }}); },
	'loops after an await': async host => { await host.kv.put({x: 1}); for (;;); },
	'hangs after an await': async host => { await host.kv.put({x: 1}); return Array(2 ** 32 - 1).indexOf(1); },
	'loops in microtasks': () => { const again = () => Promise.resolve().then(again); return again(); },
	'awaits refused host calls without end': async host => { for (;;) await host.http.fetch({url: ''}); },
	'floods the log': host => { for (;;) host.log.info('again'); },
	'floods the host with writes': host => { for (;;) host.kv.put({x: 1}); },
};

const hangs = {
	'hangs after it has answered': host => { host.kv.put({x: 1}).then(() => Array(2 ** 32 - 1).indexOf(1)); return allow({annotate: {said: 'answered'}}); },
	'hangs in a microtask after it has answered': host => { host.http.fetch({url: ''}).then(() => Array(2 ** 32 - 1).indexOf(1)); return allow({annotate: {said: 'answered'}}); },
};

export default definePlugin({
	config: z.object({attack: z.string().default('none')}),
	hooks: {
		'pre-request'({model, text}, host) {
			if (model === 'peace') return allow({annotate: {said: text.join()}});
			return {...attacks, ...hangs}[host.config.attack === 'by text' ? text.join() : host.config.attack](host);
		},
		'post-response': ({costMicroUsd}) => allow({annotate: {said: String(costMicroUsd)}}),
	},
});
`;
