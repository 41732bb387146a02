import {readFile, writeFile} from 'node:fs/promises';
import {compare} from './compare.ts';
import {tableOf} from './table.ts';

const page = new URL('../../docs/conformance.md', import.meta.url);
const [begin, end] = ['<!-- measured -->', '<!-- /measured -->'];

const ends: (() => unknown)[] = [];
try {
	const table = tableOf(await compare({teardown: close => void ends.push(close)}));
	console.log(table);
	const text = await readFile(page, 'utf8');
	const [before] = text.split(begin);
	const [, after] = text.split(end);
	await writeFile(page, `${before}${begin}\n\n${table}\n\n${end}${after}`);
} finally {
	for (const close of ends.reverse()) await close();
}
