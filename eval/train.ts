/** Trains the injection plugin and says how well it does on sources it has not seen: npm run train -- --data <folder> */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {headBytes, modelBytes} from '../plugins/injection/assembly/scanner.ts';
import {injectionReads, injectionTable, isTaught, leaveOneOut} from './injection.ts';
import {channels, learn, lengthPenalty, type Model} from './injection-learn.ts';

const {values} = parseArgs({options: {data: {type: 'string'}, write: {type: 'boolean', default: false}}});
/** So many steps of a weight make one in log-odds. */
const unit = 48;

const quantised = ({weights, biases}: Model, offsets: readonly number[]): Uint8Array => {
	const bytes = new Uint8Array(modelBytes);
	const head = new DataView(bytes.buffer, 0, headBytes);
	const numbers = [unit, lengthPenalty * unit, ...channels.map((_, index) => (biases[index]! - offsets[index]!) * unit)];
	for (const [index, number] of numbers.entries()) head.setInt32(index * 4, Math.round(number), true);
	const signed = new Int8Array(bytes.buffer, headBytes);
	for (const [index, weight] of weights.entries()) signed[index] = Math.max(-127, Math.min(127, Math.round(weight * unit)));
	return bytes;
};

const reads = injectionReads(values.data);
const {scored, offsets} = leaveOneOut(reads);
const table = injectionTable(scored);
console.log(table);

const model = learn([...reads.given, ...reads.own].filter(isTaught));
const plugin = join(import.meta.dirname, '../plugins/injection');
writeFileSync(join(plugin, 'weights.bin'), quantised(model, offsets));
console.log('weights.bin is written; now run node plugins/injection/build.ts');

if (values.write) {
	const file = new URL('../docs/quality.md', import.meta.url);
	const text = readFileSync(file, 'utf8');
	if (!text.includes('<!-- eval:injection -->')) throw new Error('docs/quality.md has no <!-- eval:injection --> to write between.');
	writeFileSync(
		file,
		text.replace(/(<!-- eval:injection -->\n)[\s\S]*?(<!-- \/eval:injection -->)/, (_, open, close) => `${open}\n${table}\n\n${close}`),
	);
}
