import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';

const plugin = `import {half} from 'halves';
import {definePlugin} from 'sallyport/plugin-sdk';
export default definePlugin({hooks: {'pre-request': () => void half(2)}});
`;

test('a plugin has one digest wherever the packages that it is bundled with lie', async t => {
	const root = await mkdtemp(join(tmpdir(), 'sallyport-bundled-'));
	t.teardown(() => rm(root, {recursive: true, force: true}));
	const writePackage = async (folder: string): Promise<void> => {
		await mkdir(folder, {recursive: true});
		await writeFile(join(folder, 'package.json'), '{"name": "halves", "version": "1.0.0", "main": "index.js"}');
		await writeFile(join(folder, 'index.js'), 'exports.half = n => n / 2;\n');
	};
	const writePlugin = async (name: string, link?: string): Promise<string> => {
		const folder = join(root, name, 'halving');
		await mkdir(join(folder, 'node_modules'), {recursive: true});
		await writeFile(join(folder, 'manifest.json'), '{}');
		await writeFile(join(folder, 'index.ts'), plugin);
		if (link) await symlink(link, join(folder, 'node_modules/halves'));
		else await writePackage(join(folder, 'node_modules/halves'));
		return (await codeOf(folder, 'isolate')).digest;
	};
	const elsewhere = join(root, 'store/halves@1.0.0/halves');
	await writePackage(elsewhere);
	const here = await writePlugin('one');
	t.is(await writePlugin('two'), here);
	t.is(await writePlugin('three', elsewhere), here);
});

test('a plugin of one’s own may match patterns that operators write, in linear time', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-bundled-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	await writeFile(join(folder, 'manifest.json'), '{}');
	await writeFile(
		join(folder, 'index.ts'),
		`import {definePlugin} from 'sallyport/plugin-sdk';
import {compilePattern} from 'sallyport/plugin-sdk/pattern';
const pattern = compilePattern('(a+)+b');
export default definePlugin({hooks: {'pre-request': ({text}) => void pattern.scan(text[0])}});
`,
	);
	const {code} = await codeOf(folder, 'isolate');
	t.true(code.toString().includes('PatternRefused'));
});
