import {existsSync} from 'node:fs';
import {type Command, InvalidArgumentError} from 'commander';
import {isServer} from '../config/resolve.ts';
import {loadConfig} from '../config.ts';
import type {Report} from '../replay.ts';
import {configFile} from './places.ts';
import {object, whole} from './written.ts';

type Options = {
	plugin?: string[];
	settings?: Record<string, unknown>;
	since: number;
	until: number;
	tenant?: string;
	folder?: string;
	most: number;
	examples: number;
	keep: boolean;
	json?: true;
};

const spans = {m: 60_000, h: 3_600_000, d: 86_400_000} as const;

/** `7d`, `12h`, `30m`, or a date as ISO 8601 writes it; milliseconds since 1970. */
const moment = (written: string): number => {
	const [, count, span] = /^(\d{1,5})([mhd])$/.exec(written) ?? [];
	if (count) return Date.now() - Number(count) * spans[span as keyof typeof spans];
	const time = Date.parse(written);
	if (Number.isFinite(time)) return time;
	throw new InvalidArgumentError('Write it like 7d, 12h, 30m or 2026-11-01.');
};

const several = (written: string, before: string[] = []): string[] => [...before, written];

const share = (part: number, of: number): string => `${part} (${of === 0 ? '0.0' : ((100 * part) / of).toFixed(1)} %)`;

/** What was not kept, nobody was asked about, and the numbers below it say nothing of those who read it. */
const unread = ({exchanges, withoutWords, readers}: Report): string[] => {
	if (withoutWords === 0 || readers.length === 0) return [];
	const of = withoutWords === exchanges ? 'any of these' : `${withoutWords} of these`;
	const who = `${readers.join(', ')} ${readers.length > 1 ? 'read it and were' : 'reads it and was'} not asked`;
	return [`The journal has nothing of what was said in ${of}: ${who}. journal: {payloads: 'masked'} keeps it from then on.`];
};

const shown = (report: Report): string => {
	const {exchanges, withoutWords, leftOut, refused, rewritten, failed, findings, examples} = report;
	const width = Math.max(0, ...findings.map(({plugin}) => plugin.length));
	const words = (parts: readonly (string | undefined | false)[]): string => parts.filter(part => part).join('  ');
	return [
		`${exchanges} exchanges were asked about again${withoutWords > 0 ? `, ${withoutWords} of them without what was said` : ''}.`,
		...unread(report),
		...(leftOut.refusedByOthers > 0 ? [`left out: ${leftOut.refusedByOthers} that others had refused`] : []),
		...(leftOut.notUnderstood > 0 ? [`left out: ${leftOut.notUnderstood} that cannot be asked about any more`] : []),
		'',
		`refused then        ${share(refused.before, exchanges)}`,
		`refused now         ${share(refused.now, exchanges)}`,
		`  newly             ${share(refused.newly, exchanges)}`,
		`  no longer         ${share(refused.noLonger, exchanges)}`,
		...(refused.notAsked > 0 ? [`  not asked again   ${share(refused.notAsked, exchanges)}: what a plugin refuses is not kept`] : []),
		`rewritten           ${share(rewritten, exchanges)}`,
		...Object.entries(failed).map(([plugin, count]) => `${plugin} could not answer  ${share(count, exchanges)}`),
		...(findings.length > 0 ? ['', 'found in'] : []),
		...findings.map(
			({plugin, category, detector, channel, action, exchanges: in_}) =>
				`  ${share(in_, exchanges).padEnd(16)}${plugin.padEnd(width)}  ${category}/${detector}  in ${channel}  ${action}`,
		),
		...(examples.length > 0 ? ['', 'for example'] : []),
		...examples.map(({exchange, at, change, plugin, rule, code, message, model, tool, findings: found}) =>
			words([`  ${at}  ${exchange}`, change, plugin, code, rule && `by ${rule}`, model ?? tool, found.join(', '), message]),
		),
	].join('\n');
};

/** `sallyport replay`: what plugins would have made of exchanges in the journal, before they are enforced; no gateway has to run. */
export const replay = (program: Command): void => {
	program
		.command('replay')
		.description('ask plugins about exchanges in the journal, and say what would have changed; nothing is sent or written')
		.option(
			'--plugin <name>',
			'one of the config, a shipped one, or a folder; may be given again. All of the config when left out',
			several,
		)
		.option('--settings <json>', 'the config of that plugin, in the place of the one in the file', object)
		.option('--since <time>', 'from when on: 7d, 12h, 30m or a date', moment, moment('7d'))
		.option('--until <time>', '… and until when', moment, Number.POSITIVE_INFINITY)
		.option('--tenant <name>', 'exchanges of this tenant alone')
		.option('--folder <folder>', "a journal other than the config's")
		.option('--most <n>', 'how many exchanges at most', whole(), 100_000)
		.option('--examples <n>', 'how many of each change are shown', whole(), 5)
		.option('--no-keep', "let plugins begin with an empty storage, not with a copy of the store's")
		.option('--json', 'print all of it as JSON')
		.action(async ({plugin: names, settings, folder, keep, json, ...asked}: Options) => {
			const loaded = await loadConfig(configFile(program));
			const {replayed} = await import('../replay/chosen.ts');
			const chosen = await replayed(loaded, names, settings);
			const {store, journal} = loaded.config;
			const place = folder ?? journal.folder;
			if (!existsSync(place)) throw new Error(`There is no journal in ${place}: the first start makes it.`);
			const isThere = isServer(store) || existsSync(store);
			const {replay: play} = await import('../replay.ts');
			const report = await play(chosen, {...asked, folder: place, ...(keep && isThere && {kvFrom: store})});
			console.log(json ? JSON.stringify(report, undefined, 2) : shown(report));
		});
};
