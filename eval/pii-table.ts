import type {Figure, PiiReport} from './pii.ts';

const percent = (part: number): string => (part * 100).toFixed(1);

const line = (name: string, {spans, precision, recall, f1, wrong}: Figure): string =>
	`| ${name} | ${spans} | ${percent(precision)} | ${percent(recall)} | ${percent(f1)} | ${wrong} |`;

const share = ({texts, reported}: {texts: number; reported: number}): string =>
	`${reported} of ${texts} (${percent(reported / texts || 0)} %)`;

const head = (first: string): string[] => [`| ${first} | values | precision % | recall % | F1 % | wrong |`, '|---|---|---|---|---|---|'];

/** The figures as a Markdown table. */
export const piiTable = (report: PiiReport): string =>
	[
		...head('all'),
		line('structured personal data', report.structured),
		line('secrets', report.secrets),
		line('names, places, dates (mostly not looked for)', report.freeText),
		'',
		`Texts with look-alikes that were reported: ${share(report.lookAlikes)}; with wrong check digits: ${share(report.badChecksums)}.`,
		`Time for 2 KB on one core, both together: ${report.usPer2Kb.p50.toFixed(0)} µs at p50, ${report.usPer2Kb.p99.toFixed(0)} µs at p99; of 64 KB of ordinary text ${report.mbPerSecond.toFixed(0)} MB a second.`,
		'',
		...head('source'),
		...Object.entries(report.bySource).map(([name, each]) => line(name, each)),
		'',
		...head('type'),
		...Object.entries(report.byType).map(([name, each]) => line(name, each)),
		'',
	].join('\n');
