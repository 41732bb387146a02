import {cp, mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {pino} from 'pino';
import {loadConfig} from '../core/config.ts';
import {serve} from '../core/main.ts';
import {complaints, freshFolder, writeConfig} from './helpers/config-file.ts';

/** What a boot with these plugins is refused for: `plugins[1].config.x: words. Mend.` */
const saidOf = async (t: ExecutionContext, folder: string, entries: readonly string[]): Promise<string[]> => {
	const file = writeConfig(
		folder,
		`export default defineConfig({\n\tlisten: '127.0.0.1:0',\n\tplugins: [\n${entries.join(',\n')}\n\t],\n});`,
	);
	const boot = async () => serve(await loadConfig(file, {env: {}}), pino({level: 'silent'}));
	return (await complaints(t, file, boot)).map(line => line.replace(/^\S+ {2}/, ''));
};

test('a mistake in the config of a plugin is said in words that somebody can act on, with what was likely meant', async t => {
	const said = await saidOf(t, freshFolder(t), [
		"{use: 'virtual-keys', config: {colour: 7}}",
		"{use: 'grants', config: {alow: {}}}",
		"{use: 'grants', as: 'second', config: {allow: {'*': {maxOutputTokens: -4, operations: ['chats']}}}}",
		"{use: 'grants', as: 'third', config: {allow: {'tenants:x': []}}}",
		"{use: 'grants', as: 'fourth', config: {allow: {'*': ['*/a']}}}",
		"{use: 'grants', as: 'fifth', config: {allow: {'*': 5}}}",
		"{use: 'word-list', config: {words: 'a', action: 'dney'}}",
	]);
	const expected = [
		'plugins[0].config.colour: unknown key. plugins/virtual-keys/README.md describes its config.',
		'plugins[1].config.alow: unknown key. Did you mean "allow"?',
		'plugins[2].config.allow["*"].maxOutputTokens: a number is too small. Write 0 or more.',
		/^plugins\[2\]\.config\.allow\["\*"\]\.operations\[0\]: a string is not one of chat, .+\. Did you mean "chat"\?$/,
		/^plugins\[3\]\.config\.allow\["tenants:x"\]: "tenants:x" cannot be a name here: a scope is .+\. Rename it\.$/,
		/^plugins\[4\]\.config\.allow\["\*"\]\[0\]: this is not in the right form: a model, .+\. plugins\/grants\/README\.md describes its config\.$/,
		'plugins[5].config.allow["*"]: must be a list or an object, not a number. Write *: with a list or an object.',
		'plugins[6].config.words: must be a list, not a string. Write words: with a list.',
		'plugins[6].config.action: a string is not one of deny, mask. Did you mean "deny"?',
	];
	t.is(said.length, expected.length, said.join('\n'));
	for (const [index, line] of expected.entries()) {
		if (typeof line === 'string') t.is(said[index], line);
		else t.regex(said[index] ?? '', line);
	}
	t.notRegex(said.join('\n'), /Invalid|expected|received|Too (small|big)/);
});

test('a shipped plugin whose name is misspelt is found', async t => {
	const said = await saidOf(t, freshFolder(t), ["{use: 'virtual-keys'}", "{use: 'maskin'}", "{use: 'something-else-entirely'}"]);
	t.regex(said[0] ?? '', /"maskin" is not a plugin: .+ Did you mean "masking"\?$/);
	t.regex(said[1] ?? '', /A plugin of your own is named by its path/);
	// What shipped plugins share is in a folder beside them, and is none.
	const shared = await saidOf(t, freshFolder(t), ["{use: 'virtual-keys'}", "{use: 'limit'}", "{use: 'opinions'}"]);
	t.notRegex(shared.join('\n'), /Did you mean "(limits|opinions)"/);
});

test('a plugin of your own is pointed to where its README lies, and no value of its config is repeated', async t => {
	const folder = freshFolder(t);
	await mkdir(join(folder, 'mine'));
	await cp(new URL('../plugins/grants', import.meta.url), join(folder, 'mine/grants'), {recursive: true});
	for (const name of ['index', 'rules', 'rights', 'decide', 'write', 'list', 'arguments']) {
		const file = join(folder, 'mine/grants', `${name}.ts`);
		await writeFile(file, (await readFile(file, 'utf8')).replaceAll('../../plugin-sdk/index.ts', 'sallyport/plugin-sdk'));
	}
	const use = JSON.stringify(join(folder, 'mine/grants'));
	const own = (allow: string) => `{use: ${use}, grants: {kv: true, random: true}, config: {allow: ${allow}}}`;
	const said = await saidOf(t, folder, ["{use: 'virtual-keys'}", own("{'*': ['sk-a-secret*word']}")]);
	t.regex(said[0] ?? '', /mine\/grants\/README\.md describes its config\.$/);
	t.false(said.join().includes('sk-a-secret'));
});
