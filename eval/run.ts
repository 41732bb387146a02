import {readFileSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {type Judged, scorePii} from './pii.ts';
import {piiTable} from './pii-table.ts';

const {values} = parseArgs({
	options: {
		data: {type: 'string'},
		json: {type: 'boolean', default: false},
		/** Writes the table into docs/quality.md. */
		write: {type: 'boolean', default: false},
		/** Prints what was missed or wrong of this type; the texts are the data's. */
		show: {type: 'string'},
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

const report = scorePii(values.data, values.show === undefined ? undefined : show);
const table = piiTable(report);
console.log(values.json ? JSON.stringify({pii: report}, undefined, '\t') : table);

if (values.write) {
	const file = new URL('../docs/quality.md', import.meta.url);
	const text = readFileSync(file, 'utf8');
	const written = text.replace(
		/(<!-- eval:pii -->\n)[\s\S]*?(<!-- \/eval:pii -->)/,
		(_, open: string, close: string) => `${open}\n${table}\n${close}`,
	);
	if (!text.includes('<!-- eval:pii -->')) throw new Error('docs/quality.md has no <!-- eval:pii --> to write between.');
	writeFileSync(file, written);
}
