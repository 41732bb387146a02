import test from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';
import {asker, saying} from './helpers/asker.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';

const large = 'word '.repeat(4_000);

/** A rule against a model, which counts too, and so is asked about questions of plugins; and a guard, which reads large texts elsewhere. */
const governed = async (t: Parameters<typeof asker>[0]) => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'house-rule',
		reads: {'pre-request': ['model'], 'post-response': ['costMicroUsd']},
		hooks: `hooks: {
			'pre-request': ({model}) => (model === 'fast' ? deny({code: 'denied', message: 'not this model'}) : undefined),
			'post-response': () => undefined,
		}`,
	});
	const rule = {use: folder, tier: 'inline' as const, trust: (await codeOf(folder, 'isolate')).digest};
	const masking = {use: 'masking', config: {mask: ['email']}};
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, rule, masking, await asker(t, ['local/guard'])]});
	const key = await gateway.key();
	const post = async (content: string, model: string): Promise<{status: number; text: string}> => {
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({model, max_tokens: 10, messages: [{role: 'user', content}]}),
		});
		return {status: response.status, text: await response.text()};
	};
	return {
		small: () => post('hi', 'fast'),
		large: () => post(large, 'fast'),
		allowed: () => post(large, 'local/echo'),
		question: () => post(JSON.stringify({ask: [{model: 'local/guard', body: saying('hello')}]}), 'local/echo'),
	};
};

for (const first of ['large', 'question'] as const) {
	test(`a rule holds for small and large texts and for questions of plugins, in whatever order they come: ${first} first`, async t => {
		const {[first]: begin, ...rest} = await governed(t);
		const ways = {[first]: begin, ...rest};
		for (const round of [1, 2]) {
			for (const [name, ask] of Object.entries(ways)) {
				const {status, text} = await ask();
				t.is(status, name === 'small' || name === 'large' ? 403 : 200, `${name} in round ${round}: ${text.slice(0, 300)}`);
				if (name === 'question') t.false(text.includes('plugin_failed'), text.slice(0, 300));
			}
		}
	});
}
