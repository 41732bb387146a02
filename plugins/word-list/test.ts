import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {compile} from '../../plugin-sdk/assembly-script.ts';
import {wordListBehaves} from './shared.ts';

wordListBehaves(test, import.meta.url);

test('plugin.wasm is what assembly/ compiles to', async t => {
	const built = await compile(join(import.meta.dirname, 'assembly/index.ts'));
	const committed = await readFile(join(import.meta.dirname, 'plugin.wasm'));
	t.true(committed.equals(built), 'run npx node plugins/word-list/build.ts');
});
