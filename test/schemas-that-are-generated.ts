import {spawnSync} from 'node:child_process';
import {appendFileSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import * as z from 'zod';
import {catalogue} from '../core/errors.ts';
import {generate, generated, notCurrent} from '../schemas/generate.ts';
import {crossingOf, hookNames, hooks} from '../schemas/hooks.ts';
import {rowsOf} from '../schemas/page-rows.ts';
import {freshFolder} from './helpers/config-file.ts';

const jsonOf = (file: string) => JSON.parse(generated().get(file)!);

test('the generated schemas and pages are what the schemas say', t => {
	const script = fileURLToPath(new URL('../schemas/generate.ts', import.meta.url));
	const {status, stderr} = spawnSync(process.execPath, [script, '--check'], {encoding: 'utf8'});
	t.is(status, 0, stderr);
});

test('a file that was changed, one that is missing and one that is left over are named, and generating mends them', t => {
	const root = freshFolder(t);
	t.deepEqual(notCurrent(root), [...generated().keys()].sort());
	generate(root);
	t.deepEqual(notCurrent(root), []);
	appendFileSync(join(root, 'schemas/json/config.json'), ' ');
	rmSync(join(root, 'docs/hooks.md'));
	writeFileSync(join(root, 'schemas/json/pre-request.inputs.json'), '{}');
	t.deepEqual(notCurrent(root), ['docs/hooks.md', 'schemas/json/config.json', 'schemas/json/pre-request.inputs.json']);
	generate(root);
	t.deepEqual(notCurrent(root), []);
});

/** The names of all keys in a JSON Schema, wherever they stand. */
const keysIn = (schema: unknown): string[] => {
	if (typeof schema !== 'object' || schema === null) return [];
	return Object.entries(schema).flatMap(([name, value]) => [
		...(name === 'properties' ? Object.keys(value as object) : []),
		...keysIn(value),
	]);
};

test('every key of the config and every code of an error is on its page', t => {
	const page = generated().get('docs/config.md')!;
	// What env() makes is written by nobody.
	const made = new Set(['env', 'optional']);
	for (const key of keysIn(jsonOf('schemas/json/config.json'))) {
		t.true(made.has(key) || page.includes(`\`${key}\` |`) || page.includes(`.${key}\` |`), key);
	}
	for (const code of Object.keys(catalogue)) t.regex(generated().get('docs/errors.md')!, new RegExp(`\n\\| \`${code}\` \\| \\d{3} \\|`));
});

test('a key that nobody has written a sentence about stops the generation, and is named', t => {
	const schema = z.toJSONSchema(z.object({limits: z.object({bodyMb: z.number()})}));
	const error = t.throws(() => rowsOf(schema, new Map([['limits', 'Limits.']])));
	t.regex(error.message, /limits\.bodyMb/);
});

test('generating twice gives the same bytes', t => {
	t.deepEqual(generated(), generated());
});

test('every hook has a schema of its input and of its answer, a row in hooks.json and a section in the page', t => {
	const files = [...generated().keys()];
	const table = jsonOf('schemas/json/hooks.json');
	for (const hook of hookNames) {
		t.true(files.includes(`schemas/json/${hook}.input.json`));
		t.true(files.includes(`schemas/json/${hook}.answer.json`));
		t.deepEqual(table[hook], {kind: hooks[hook].kind, runs: hooks[hook].runs, reads: hooks[hook].reads});
		t.regex(generated().get('docs/hooks.md')!, new RegExp(`\n## ${hook}\n\n[A-Z].+\n`));
	}
});

test('the JSON Schema of a manifest lets a hook read exactly what the gateway lets it read', t => {
	const schema = jsonOf('schemas/json/manifest.json');
	const paths = new Set(hookNames.flatMap(hook => Object.keys(hooks[hook].reads).map(read => read.replace('<name>', 'x-a_1'))));
	for (const hook of hookNames) {
		const pattern = new RegExp(schema.properties.hooks.properties[hook].properties.reads.items.pattern);
		for (const path of [...paths, 'headers', 'headers.', 'headers.a.b', 'textx', 'principalXid', '']) {
			t.is(pattern.test(path), crossingOf(hook, path) !== undefined, `${hook} ${path}`);
		}
	}
});

test('an input requires no field, since a plugin is handed only what its manifest declares', t => {
	for (const hook of hookNames) t.is(jsonOf(`schemas/json/${hook}.input.json`).required, undefined);
	const {properties, $defs} = jsonOf('schemas/json/pre-request.input.json');
	t.is(properties.estimate.required, undefined);
	t.is($defs.principal.required, undefined);
});

test('every reference in a schema leads to a definition with a name that says something', t => {
	for (const file of generated().keys()) {
		if (!file.endsWith('.json')) continue;
		const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
		const names = Object.keys(JSON.parse(text).$defs ?? {});
		for (const [, name] of text.matchAll(/"#\/\$defs\/([^"]+)"/g)) t.true(names.includes(name!), `${file}: ${name}`);
		t.false(text.includes('__schema'), file);
	}
});
