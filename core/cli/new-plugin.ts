import {mkdir, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join, relative, resolve, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import about from '../../package.json' with {type: 'json'};

const house = fileURLToPath(new URL('../..', import.meta.url));

const manifest = (name: string): string =>
	`${JSON.stringify(
		{
			name,
			version: '0.1.0',
			description: 'Refuses requests that contain a configured word.',
			sdk: 1,
			runtime: 'isolate',
			capabilities: [],
			hooks: {'pre-request': {reads: ['text[]']}},
		},
		null,
		'\t',
	)}\n`;

const index = `import {definePlugin, deny} from 'sallyport/plugin-sdk';
import * as z from 'zod';

export default definePlugin({
	config: z.strictObject({
		word: z.string().min(1),
	}),

	hooks: {
		/** Sees the text and nothing else: that is all its manifest reads. */
		'pre-request'({text}, {config}) {
			if (!text.some(part => part.includes(config.word))) return undefined;
			return deny({code: 'content_blocked', message: 'The request holds a word that is not allowed here.', rule: 'word'});
		},
	},
});
`;

const test = (name: string): string => `import test from 'ava';
import {startPlugin} from 'sallyport/plugin-sdk/testing';

const start = (word: string) => startPlugin(import.meta.url, {config: {word}});

test('${name}: a request with the word is refused', async t => {
	const plugin = await start('heron');
	t.teardown(plugin.close);
	const verdict = await plugin.ask('pre-request', {text: ['a grey heron']});
	t.like(verdict, {verdict: 'deny', code: 'content_blocked'});
});

test('${name}: any other request passes', async t => {
	const plugin = await start('heron');
	t.teardown(plugin.close);
	t.is(await plugin.ask('pre-request', {text: ['a grey goose']}), undefined);
});
`;

const readme = (name: string): string => `# ${name}

Refuses requests that contain a configured word.

- **Config**: \`word\`, the word.
- **Refuses**: \`content_blocked\`, rule \`word\`.
- **Cannot see**: anything but the text of a request; who asks, the model, the reply.
`;

/** For editors and tsc, where nothing that a plugin imports is found by itself: its types are those of this gateway. */
const tsconfig = (folder: string): string => {
	const from = (file: string): string => relative(folder, file).split(sep).join('/');
	const beside = (name: string, file: string): string => join(dirname(fileURLToPath(import.meta.resolve(name))), file);
	const paths: Record<string, string[]> = {zod: [from(beside('zod', 'index.d.cts'))], ava: [from(beside('ava', 'main.d.ts'))]};
	for (const [path, file] of Object.entries(about.exports)) paths[join(about.name, path)] = [from(join(house, file))];
	const typeRoots = [from(dirname(dirname(createRequire(import.meta.url).resolve('@types/node/package.json'))))];
	// No package.json has to stand there for its files to be modules.
	const compilerOptions = {module: 'esnext', moduleResolution: 'bundler', moduleDetection: 'force', typeRoots, paths};
	const json = {extends: from(join(house, 'tsconfig.json')), compilerOptions, include: ['*.ts']};
	return `${JSON.stringify(json, null, '\t')}\n`;
};

/** Writes a plugin that passes its own test; answers the files. Rejects when the folder holds something already. */
export const newPlugin = async (name: string, folder: string): Promise<string[]> => {
	if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) throw new Error(`"${name}" is no plugin name: use lower-case letters, digits and dashes.`);
	const isOutside = relative(house, folder).startsWith('..');
	const files = {
		'manifest.json': manifest(name),
		'index.ts': index,
		'test.ts': test(name),
		'README.md': readme(name),
		...(isOutside && {'tsconfig.json': tsconfig(folder)}),
	};
	await mkdir(folder, {recursive: true});
	const written: string[] = [];
	for (const [file, text] of Object.entries(files)) {
		const place = resolve(folder, file);
		await writeFile(place, text, {flag: 'wx'}).catch((error: NodeJS.ErrnoException) => {
			throw error.code === 'EEXIST' ? new Error(`${place} is there already; choose another name.`) : error;
		});
		written.push(place);
	}
	return written;
};
