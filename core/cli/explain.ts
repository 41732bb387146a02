import type {Command} from 'commander';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {whole} from './written.ts';

type Reserved = {account: string; unit: string; amount: number; limit: number | null; window: string; used: number; fits: boolean};
type Told = {
	plugin: string;
	hook: string;
	verdict: string;
	mode?: string;
	code?: string;
	rule?: string;
	message?: string;
	plan?: string[];
	quarantined?: string;
	wouldReserve?: Reserved[];
};
type Decided = {plugin?: string; rule?: string; code?: string; status?: number; message?: string};
type Explained = {
	allowed: boolean;
	decidedBy?: Decided;
	principal?: {id: string; tenant: string; team?: string; user?: string};
	operation: string;
	model: string;
	deployments?: string[];
	plugins: Told[];
};

const amount = (value: number, unit: string): string => (unit === 'microUsd' ? `${value / 1e6} USD` : `${value} ${unit}`);

const reservation = ({account, unit, amount: wanted, limit, window, used, fits}: Reserved): string =>
	`would reserve ${amount(wanted, unit)} of ${limit === null ? 'no limit' : amount(limit, unit)} in ${account}/${window}, used ${amount(used, unit)}${fits ? '' : ': no room'}`;

const line = ({plugin, hook, verdict, mode, code, rule, message, plan, quarantined}: Told, width: number): string => {
	const said = [code, rule && `by ${rule}`, plan && `to ${plan.join(', ')}`, message, quarantined && `quarantined since ${quarantined}`];
	const words = said.filter(part => part !== undefined && part !== '').join('  ');
	return `${plugin.padEnd(width)}  ${hook.padEnd(11)}  ${verdict}${mode ? ` (${mode})` : ''}${words && `  ${words}`}`;
};

const decided = ({plugin, rule, code, status, message}: Decided): string =>
	[code && `${code} (${status})`, plugin ?? (code && 'the gateway itself'), rule, message].filter(part => part !== undefined).join('  ');

const shown = ({allowed, decidedBy, principal, operation, model, deployments, plugins}: Explained): string => {
	const width = Math.max(...plugins.map(({plugin}) => plugin.length), 0);
	const who = principal && [principal.id, principal.tenant, principal.team, principal.user].filter(part => part !== undefined).join(' ');
	return [
		`${allowed ? 'allowed' : 'refused'}: ${operation} of ${model}${who ? ` by ${who}` : ''}`,
		...(decidedBy ? [`decided by: ${decided(decidedBy)}`] : []),
		...(allowed && deployments ? [`would be asked: ${deployments.join(', ')}`] : []),
		'',
		...plugins.flatMap(told => [line(told, width), ...(told.wouldReserve ?? []).map(one => `  ${reservation(one)}`)]),
	].join('\n');
};

type Options = AdminOptions & {
	key?: string;
	tenant?: string;
	team?: string;
	user?: string;
	model: string;
	operation?: string;
	maxTokens?: number;
	text?: string;
	session?: string;
	json?: true;
};

/** `sallyport explain`: what would become of a request on a running gateway, and which rule decides; nothing is sent. */
export const explain = (program: Command): void => {
	withAdmin(program.command('explain'))
		.description('say what would become of a request, and which rule decides, without sending one')
		.option('--key <id>', 'whose request: the id of a key, key_…; never the key itself')
		.option('--tenant <name>', 'in the place of a key: whoever is of this tenant')
		.option('--team <name>', '… and of this team')
		.option('--user <name>', '… and is this user')
		.requiredOption('--model <name>', 'the model it asks for')
		.option('--operation <name>', 'chat, messages, embeddings or count_tokens; what the model speaks when left out')
		.option('--max-tokens <count>', 'the most output it asks for', whole())
		.option('--text <text>', 'what it says')
		.option('--session <name>', 'the session it is part of')
		.option('--json', 'print all of the answer')
		.action(async ({url, adminKey, json, tenant, team, user, ...rest}: Options) => {
			const input = {...rest, ...(tenant !== undefined && {principal: {tenant, team, user}})};
			const answer = (await adminCall({url, adminKey}, 'POST', '/admin/explain', input)) as Explained;
			console.log(json ? JSON.stringify(answer, null, 2) : shown(answer));
		});
};
