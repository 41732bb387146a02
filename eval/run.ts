import {readFileSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {measureFigures, recordFigures} from './figures.ts';
import {injectionReads, injectionTable, leaveOneOut} from './injection.ts';
import {type Judged, scorePii} from './pii.ts';
import {piiTable} from './pii-table.ts';

const {values} = parseArgs({
	options: {
		data: {type: 'string'},
		/** `pii` or `injection`: only that table. */
		only: {type: 'string'},
		/** Writes the tables into docs/quality.md. */
		write: {type: 'boolean', default: false},
		/** Prints what was missed or wrong of this type; the texts are the data's. */
		show: {type: 'string'},
		/** Measures the project's own texts instead, for which no data is needed. */
		own: {type: 'boolean', default: false},
		/** With `own`: these are the figures that must not fall from now on. */
		record: {type: 'boolean', default: false},
	},
});

const show = ({row, missed, wrong}: Judged): void => {
	for (const [word, labels] of Object.entries({missed, wrong})) {
		for (const {start, end, type} of labels.filter(({type}) => type === values.show)) {
			const before = row.text.slice(Math.max(0, start - 50), start);
			console.log(word, type, row.source, JSON.stringify([before, row.text.slice(start, end).slice(0, 90), row.text.slice(end, end + 20)]));
		}
	}
};

const write = (name: string, table: string): void => {
	const file = new URL('../docs/quality.md', import.meta.url);
	const text = readFileSync(file, 'utf8');
	const [open, close] = [`<!-- eval:${name} -->\n`, `<!-- /eval:${name} -->`];
	const [start, end] = [text.indexOf(open), text.indexOf(close)];
	if (start === -1 || end === -1) throw new Error(`docs/quality.md has no ${open.trim()} to write between.`);
	writeFileSync(file, `${text.slice(0, start + open.length)}\n${table.trim()}\n\n${text.slice(end)}`);
};

const tables: Readonly<Record<string, () => string>> = {
	pii: () => piiTable(scorePii(values.data, values.show === undefined ? undefined : show)),
	// Every source is left out once: this takes minutes.
	injection: () => injectionTable(leaveOneOut(injectionReads(values.data)).scored),
};

const printTables = (): void => {
	for (const [name, table] of Object.entries(tables)) {
		if (values.only !== undefined && values.only !== name) continue;
		const made = table();
		console.log(made);
		if (values.write) write(name, made);
	}
};

const printOwn = async (): Promise<void> => {
	const figures = await measureFigures();
	console.log(JSON.stringify(figures, undefined, '\t'));
	if (values.record) recordFigures(figures);
};

if (values.own) await printOwn();
else printTables();
