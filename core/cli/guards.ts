import {readFile} from 'node:fs/promises';
import {text as allOf} from 'node:stream/consumers';
import {type Command, Option} from 'commander';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {object, objectIn} from './written.ts';

type Said = {
	plugin: string;
	hook: string;
	verdict: string;
	mode?: string;
	code?: string;
	rule?: string;
	message?: string;
	quarantined?: string;
};
type Finding = {
	plugin: string;
	detector: string;
	category: string;
	severity: string;
	score: number;
	channel: string;
	action: string;
	span?: {text?: number; start: number; end: number};
};
type Tried = {
	allowed: boolean;
	decidedBy?: {plugin?: string; rule?: string; code: string; status: number; message: string};
	checkedBy: string[];
	guards: Said[];
	findings: Finding[];
	text?: string;
	body?: object;
	arguments?: object;
	answer?: unknown;
};

const channels = ['user', 'system', 'assistant', 'tool-result', 'tool-description', 'tool-arguments'];

const words = (parts: readonly (string | undefined | false)[]): string => parts.filter(part => part).join('  ');

const ofGuard = ({plugin, hook, verdict, mode, code, rule, message, quarantined}: Said, width: number): string =>
	words([
		plugin.padEnd(width),
		hook.padEnd(13),
		`${verdict}${mode ? ` (${mode})` : ''}`,
		code,
		rule && `by ${rule}`,
		message,
		quarantined && `quarantined since ${quarantined}`,
	]);

const ofFinding = ({plugin, detector, category, severity, score, channel, action, span}: Finding): string =>
	words([
		`  ${plugin}: ${category}/${detector}`,
		`${severity} ${score}`,
		`in ${channel}`,
		span && `${span.text === undefined ? '' : `text ${span.text} `}${span.start}–${span.end}`,
		action,
	]);

const shown = ({allowed, decidedBy, checkedBy, guards, findings, text, ...left}: Tried): string => {
	const width = Math.max(...guards.map(({plugin}) => plugin.length), 0);
	const rest = left.body ?? left.arguments ?? left.answer;
	return [
		allowed ? 'passes' : `refused: ${words([decidedBy?.code, decidedBy?.plugin, decidedBy?.rule, decidedBy?.message])}`,
		checkedBy.length > 0 ? `checked by: ${checkedBy.join(', ')}` : 'no guard has looked at it',
		...guards.map(said => ofGuard(said, width)),
		...(findings.length > 0 ? ['findings:', ...findings.map(ofFinding)] : []),
		...(allowed ? ['what goes on:', text ?? JSON.stringify(rest, null, 2)] : []),
	].join('\n');
};

const read = async (file: string): Promise<string> => {
	if (file === '-') return allOf(process.stdin);
	return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
		throw new Error(error.code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${error.code}).`);
	});
};

const bodyIn = async (file: string): Promise<object> => {
	const json = await read(file);
	try {
		return objectIn(json);
	} catch (error) {
		throw new Error(`${file === '-' ? 'The standard input' : file} is no body of a request. ${(error as Error).message}`);
	}
};

type Options = AdminOptions & {
	channel?: string;
	file?: string;
	body?: string;
	tool?: string;
	server?: string;
	arguments?: object;
	model?: string;
	operation?: string;
	key?: string;
	tenant?: string;
	team?: string;
	user?: string;
	json?: true;
};

/** `sallyport guards try`: what the guards of a running gateway would make of something; nothing is sent anywhere. */
export const guards = (program: Command): void => {
	const group = program.command('guards').description('what guards find');
	withAdmin(group.command('try'))
		.description('show the guards a text, a request or a tool call, without sending it anywhere')
		.argument('[text]', 'what they are to look at')
		.addOption(new Option('--channel <name>', 'where the text would come from; user when left out').choices(channels))
		.option('--file <file>', 'in the place of the text: a file with it, or - for the standard input')
		.option('--body <file>', 'in the place of a text: a file with the body of a request, or -')
		.option('--tool <name>', 'in the place of a text: a call of this tool over MCP')
		.option('--server <name>', '… of this server')
		.option('--arguments <json>', '… with these arguments', object)
		.option('--model <name>', 'the model it is asked of; the first of the config when left out')
		.option('--operation <name>', 'chat, messages or embeddings; what the model speaks when left out')
		.option('--key <id>', 'whose it would be: the id of a key, key_…; never the key itself')
		.option('--tenant <name>', 'in the place of a key: whoever is of this tenant')
		.option('--team <name>', '… and of this team')
		.option('--user <name>', '… and is this user')
		.option('--json', 'print all of the answer')
		.action(async (said: string | undefined, options: Options) => {
			const {url, adminKey, json, file, body, tool, server, arguments: args, tenant, team, user, ...rest} = options;
			const text = file === undefined ? said : await read(file);
			const input = {
				...rest,
				...(text !== undefined && {text}),
				...(body !== undefined && {body: await bodyIn(body)}),
				...(tool !== undefined && {tool: {name: tool, server, arguments: args}}),
				...(tenant !== undefined && {principal: {tenant, team, user}}),
			};
			const answer = (await adminCall({url, adminKey}, 'POST', '/admin/guards/try', input)) as Tried;
			console.log(json ? JSON.stringify(answer, null, 2) : shown(answer));
		});
};
