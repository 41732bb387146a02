import {tenantOf} from '../../plugin-sdk/tenancy.ts';
import type {JournalRecord} from '../../schemas/record.ts';

/** Who asked for what, and how it ended; '' where nobody can say. Teams and users are names within their tenant. */
export type Names = {
	tenant: string;
	team: string;
	user: string;
	key: string;
	model: string;
	deployment: string;
	operation: string;
	outcome: string;
	code: string;
	plugin: string;
	/** The MCP server that was asked, and the tool of it that was called: `github/search`. */
	server: string;
	tool: string;
};

/** A record that a crash left to be ended knows no more of its principal than the accounts that pay. */
const payers = (id: string, {bookings}: JournalRecord): Pick<Names, 'tenant' | 'team' | 'user' | 'key'> => {
	const names = {tenant: '', team: '', user: '', key: ''};
	for (const {key: booking} of bookings ?? []) {
		// A plugin may count apart from others, under a word of its own: `rate:team:acme/search`.
		const account = booking
			.split('|')
			.slice(0, -3)
			.join('|')
			.replace(/^[a-z]+:(?=(?:tenant|team|user|key):)/, '');
		const tenant = tenantOf(account);
		if (tenant !== undefined) names.tenant = tenant;
		const [, kind, name] = /^(team|user|key):(.+)$/s.exec(account) ?? [];
		if (kind === 'key') names.key = name!;
		else if (kind) names[kind as 'team' | 'user'] = name!.slice(tenant!.length + 1);
	}
	return {...names, key: names.key || id};
};

const longest = 300;

/** Nothing that a name may not hold in the place where it will be kept, and no end of it. */
const plain = (name: unknown): string => {
	if (typeof name !== 'string') return '';
	return name.length > longest || name.includes('\0') ? name.slice(0, longest).replaceAll('\0', '\ufffd') : name;
};

export const namesOf = (record: JournalRecord): Names => {
	const {principal, model, deployment, operation, outcome, error, attempts, server, tool} = record;
	const who = typeof principal === 'string' ? payers(principal, record) : principal;
	return {
		tenant: plain(who?.tenant),
		team: plain(who?.team),
		user: plain(who?.user),
		key: plain(who?.key),
		model: plain(model),
		// What failed everywhere counts for the last that was tried; what an MCP server was tried for is no deployment's.
		deployment: plain(deployment ?? (server === undefined ? attempts?.at?.(-1)?.deployment : undefined)),
		operation: plain(operation),
		outcome: plain(outcome),
		code: plain(error?.code),
		plugin: plain(error?.plugin),
		server: plain(server),
		tool: tool === undefined ? '' : plain(`${server ?? ''}/${tool}`),
	};
};

/**
 * `budgets/deny/budget_exceeded`, `masking/rewrite`, and `…/observe` for what was recorded and not carried out. Who somebody is, which every
 * exchange is told, is not one to count.
 */
const verdictsOf = ({rulings}: JournalRecord): string[] => {
	const values: string[] = [];
	for (const {plugin, verdict, code, mode} of rulings ?? [])
		if (verdict !== 'identify') values.push([plugin, verdict, code, mode].filter(Boolean).join('/'));
	return values.length < 2 ? values : [...new Set(values)];
};

/** The parts of usage that no sum of its own counts. */
const rareParts = ['inputAudio', 'inputImage', 'cacheReadAudio', 'cacheReadImage', 'cacheWrite1h', 'outputAudio', 'outputImage'] as const;

const unitsOf = ({usage}: JournalRecord): [string, number][] => {
	if (typeof usage !== 'object') return [];
	const units = Object.entries(usage.counts ?? {});
	const {parts} = usage;
	if (parts) for (const part of rareParts) if (parts[part]) units.push([`${part}Tokens`, parts[part]]);
	return units.filter(([, count]) => count > 0);
};

/** What an exchange is counted under once more: each of its tags, of its verdicts, and of what it used by the piece, with how much. */
export type About = {kind: 'tag' | 'verdict' | 'unit'; value: string; units: number};

export const aboutOf = (record: JournalRecord): About[] => {
	const {tags, rulings, usage} = record;
	if (!tags && !rulings && !(usage?.counts || usage?.parts)) return none;
	const about: About[] = [];
	if (Array.isArray(tags)) for (const tag of new Set(tags)) about.push({kind: 'tag', value: plain(tag), units: 0});
	for (const value of verdictsOf(record)) about.push({kind: 'verdict', value: plain(value), units: 0});
	for (const [value, units] of unitsOf(record)) about.push({kind: 'unit', value: plain(value), units});
	return about;
};

const none: About[] = [];
