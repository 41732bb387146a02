import {type Command, InvalidArgumentError, Option} from 'commander';
import {csv} from '../usage/csv.ts';
import type {Figures} from '../usage/figures.ts';
import {type Invoice, type InvoiceLine, type Invoices, invoiceColumns, invoiceRows, usdOf} from '../usage/invoice.ts';
import {facets} from '../usage/question.ts';
import {columnsOf, type Line, type Report} from '../usage/report.ts';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {configOfPlaces} from './places.ts';
import {table} from './table.ts';

type Form = {json?: true; csv?: true};

const withForm = (command: Command): Command =>
	withAdmin(command).addOption(new Option('--json', 'print JSON').conflicts('csv')).option('--csv', 'print CSV');

const whole = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');
const ms = (value: number | null): string => (value === null ? '' : String(Math.round(value)));

const figures: readonly [string, (figures: Figures) => string][] = [
	['requests', ({requests}) => whole(requests)],
	['failed', ({failed}) => whole(failed)],
	['denied', ({denied}) => whole(denied)],
	['input', ({inputTokens}) => whole(inputTokens)],
	['cached', ({cacheReadTokens}) => whole(cacheReadTokens)],
	['output', ({outputTokens}) => whole(outputTokens)],
	['p50 ms', ({latencyP50Ms}) => ms(latencyP50Ms)],
	['p95 ms', ({latencyP95Ms}) => ms(latencyP95Ms)],
	['USD', ({costMicroUsd}) => usdOf(costMicroUsd)],
];

/** What is told apart by: nothing is shown as a dash, so that it can be seen. */
const named = (names: readonly string[], line: Line): string[] => names.map(name => String(line[name as keyof Line]) || '-');

const shown = ({rows, total, by, from, to, timeZone}: Report): string => {
	const names = ['period', ...by, ...(by.includes('unit') ? ['units'] : [])];
	const lines = [
		[...names, ...figures.map(([name]) => name)],
		...rows.map(row => [...named(names, row), ...figures.map(([, text]) => text(row))]),
		...(total ? [[...names.map((_, index) => (index === 0 ? 'all' : '')), ...figures.map(([, text]) => text(total))]] : []),
	];
	return `${from} to ${to}, by the clock of ${timeZone}\n\n${table(lines, [...names.map(() => false), ...figures.map(() => true)])}`;
};

const tokens: readonly [string, (line: InvoiceLine) => string][] = [
	['requests', ({requests}) => whole(requests)],
	['input', ({inputTokens}) => whole(inputTokens)],
	['cached', ({cacheReadTokens}) => whole(cacheReadTokens)],
	['output', ({outputTokens}) => whole(outputTokens)],
	['USD', ({costUsd}) => costUsd],
	[
		'units',
		({units}) =>
			Object.entries(units)
				.map(([unit, count]) => `${whole(count)} ${unit}`)
				.join(', '),
	],
];

const invoiceShown = ({tenant, team, lines, total}: Invoice, {month, timeZone, final}: Invoices): string => {
	const rows = [
		['model', ...tokens.map(([name]) => name)],
		...lines.map(line => [line.model || '-', ...tokens.map(([, text]) => text(line))]),
		['all', whole(total.requests), '', '', '', total.costUsd, ''],
	];
	const estimated = total.estimatedCostMicroUsd > 0 ? `\n${usdOf(total.estimatedCostMicroUsd)} USD of it is estimated.` : '';
	const whose = team ?? `${tenant}, what is of no team`;
	return `${whose}, ${month} (${timeZone})${final ? '' : ', so far'}\n${table(rows, [false, true, true, true, true, true, false])}${estimated}`;
};

const month = (written: string): string => {
	if (/^\d{4}-(0[1-9]|1[0-2])$/.test(written)) return written;
	throw new InvalidArgumentError('Write it like 2026-11.');
};

const list = (written: string, before: string[] = []): string[] => [...before, written];

const filters = facets.filter(facet => facet !== 'unit');

/** Every page of a report, as one. */
const wholeReport = async (options: AdminOptions, params: URLSearchParams): Promise<Report> => {
	const ask = async () => (await adminCall(options, 'GET', `/admin/usage?${params}`)) as Report;
	const report = await ask();
	let {next} = report;
	while (next !== undefined) {
		params.set('cursor', next);
		const page = await ask();
		report.rows.push(...page.rows);
		({next} = page);
	}
	delete report.next;
	return report;
};

type Shared = {team?: string[]; tenant?: string[]; timeZone: string};
type Wanted = {month: string; team?: string; tenant?: string; timeZone: string};

const invoicesOfGateway = async (options: AdminOptions, wanted: Wanted): Promise<Invoices> =>
	(await adminCall(options, 'GET', `/admin/usage/invoices?${new URLSearchParams(wanted)}`)) as Invoices;

/** Counted from the journal's own lines, with no gateway and no store. */
const invoicesOfJournal = async (program: Command, wanted: Wanted): Promise<Invoices> => {
	const {journal} = await configOfPlaces(program);
	const {recounted} = await import('../usage/recount.ts');
	const {invoicesOf} = await import('../usage/invoice.ts');
	return recounted(journal.folder, store => invoicesOf(store, wanted, Date.now()));
};

/** `sallyport usage …`: what was used, by a running gateway's sums; and what each team is to be charged for it. */
export const usage = (program: Command): void => {
	const command = withForm(program.command('usage').description('what was used, from a running gateway'));
	command
		.option('--by <names>', `what to tell apart, with commas between: ${filters.join(', ')}, unit`, 'tenant,model')
		.option('--from <moment>', 'like 2026-11-01, or a moment with its offset; the beginning of this month when left out')
		.option('--to <moment>', 'the same, not counted itself; now when left out')
		.addOption(new Option('--granularity <length>', 'how long each period is').choices(['hour', 'day', 'month', 'total']).default('total'))
		.option('--time-zone <name>', 'whose calendar it is', 'UTC');
	for (const name of filters) command.option(`--${name} <name>`, `only this ${name}; may be said again`, list);
	command.action(async ({url, adminKey, json, csv: asCsv, ...said}: AdminOptions & Form & Record<string, string | string[]>) => {
		const params = new URLSearchParams({limit: '5000'});
		for (const [name, value] of Object.entries(said)) for (const one of [value].flat()) params.append(name, one);
		const report = await wholeReport({url, ...(adminKey && {adminKey})}, params);
		if (json) return console.log(JSON.stringify(report, null, 2));
		if (asCsv) return void process.stdout.write(csv(columnsOf(report), report.rows));
		console.log(shown(report));
	});

	// Whatever both take is an option of the first, which sees it wherever it stands.
	const shared = ['url', 'adminKey', 'json', 'csv', 'team', 'tenant', 'timeZone'];
	command
		.command('invoice')
		.description('what each team used in a month, a line for each model')
		.requiredOption('--month <month>', 'like 2026-11', month)
		.option('--from-journal', "count the journal's own records on this machine, without a gateway")
		.action(async ({month, fromJournal}: {month: string; fromJournal?: true}) => {
			const {url, adminKey, json, csv: asCsv, team = [], tenant = [], timeZone} = command.opts<AdminOptions & Form & Shared>();
			const foreign = Object.keys(command.opts()).find(name => !shared.includes(name) && command.getOptionValueSource(name) === 'cli');
			if (foreign) throw new Error(`An invoice takes no --${foreign}: it is of a month, and of a --team or a --tenant.`);
			if (team.length > 1 || tenant.length > 1) throw new Error('An invoice is of one --team or one --tenant, or of all.');
			const wanted = {month, timeZone, ...(team[0] !== undefined && {team: team[0]}), ...(tenant[0] !== undefined && {tenant: tenant[0]})};
			const invoices = fromJournal
				? await invoicesOfJournal(program, wanted)
				: await invoicesOfGateway({url, ...(adminKey && {adminKey})}, wanted);
			if (json) return console.log(JSON.stringify(invoices, null, 2));
			if (asCsv) return void process.stdout.write(csv(invoiceColumns, invoiceRows(invoices)));
			for (const one of invoices.invoices) console.log(`${invoiceShown(one, invoices)}\n`);
			console.log(`all invoices: ${invoices.total.costUsd} USD`);
		});
};
