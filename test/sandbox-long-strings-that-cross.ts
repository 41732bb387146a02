import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import test from 'ava';
import {startPlugin} from '../plugin-sdk/testing.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const sdk = resolve('plugin-sdk/index.ts');

test('a text of any length and alphabet arrives as it was, marks of the wall itself included', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-pieces-'));
	t.teardown(() => rm(folder, {recursive: true}));
	const hooks = {'pre-request': {reads: ['text[]', 'model', 'session']}};
	await writeFile(join(folder, 'manifest.json'), JSON.stringify({name: 'echo', version: '1.0.0', sdk: 1, runtime: 'isolate', hooks}));
	await writeFile(
		join(folder, 'index.ts'),
		`import * as z from 'zod'; import {definePlugin, allow} from '${sdk}';
		export default definePlugin({config: z.strictObject({}), hooks: {'pre-request': ({text, model, session}) => allow({carry: JSON.stringify([text, model, session])})}});`,
	);
	const plugin = await startPlugin(folder, {tier: 'inline'});
	t.teardown(plugin.close);
	const seed = Math.floor(Math.random() * 2 ** 32);
	const random = seededRandom(seed).next;
	const alphabets = ['abc def ', 'äöü', '漢字 ', '😀a', '\u0002,\u0001\u0000 0'];
	const words = (length: number): string => {
		const alphabet = alphabets[Math.floor(random() * alphabets.length)]!;
		return Array.from({length}, () => alphabet[Math.floor(random() * alphabet.length)])
			.join('')
			.toWellFormed();
	};
	const lengths = [0, 1, 2, 510, 511, 512, 1_022, 1_023, 1_024, 1_025, 2_047, 5_000, 131_071, 131_073];
	for (let round = 0; round < 60; round++) {
		const pick = () => words(lengths[Math.floor(random() * (round % 10 === 0 ? lengths.length : 12))]!);
		const fields = {text: [pick(), pick()], model: pick(), session: pick()};
		const given = await plugin.ask('pre-request', fields);
		t.deepEqual(JSON.parse(given?.carry as string), [fields.text, fields.model, fields.session], `seed ${seed}`);
	}
});
