/** Trains the injection plugin and says how well it does on sources it has not seen: npm run train -- --data <folder> */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {table} from '../plugins/injection/assembly/features.ts';
import {headBytes, modelBytes} from '../plugins/injection/assembly/scanner.ts';
import {injectionReads, injectionTable, isTaught, leaveOneOut} from './injection.ts';
import {channels, lengthPenalty} from './injection-learn.ts';
import {learn, type Model, wholeScale, wholeShare} from './injection-whole.ts';

const {values} = parseArgs({options: {data: {type: 'string'}, write: {type: 'boolean', default: false}}});
/** So many steps of a weight make one in log-odds; of one of the whole text, so many make one before its share. */
const unit = 48;
const wholeUnit = 320;

const put = (signed: Int8Array, weights: Float32Array, unit: number): void => {
	for (const [index, weight] of weights.entries()) signed[index] = Math.max(-127, Math.min(127, Math.round(weight * unit)));
};

const quantised = ({windows, whole}: Model, offsets: readonly number[]): Uint8Array => {
	const bytes = new Uint8Array(modelBytes);
	const head = new DataView(bytes.buffer, 0, headBytes);
	const biasOf = (index: number): number => windows.biases[index]! + wholeShare[index]! * whole.biases[index]! - offsets[index]!;
	const biases = channels.map((_, index) => biasOf(index) * unit);
	const shares = wholeShare.map(share => (share * wholeScale * unit * 1_024) / wholeUnit);
	for (const [index, number] of [unit, lengthPenalty * unit, ...biases, ...shares].entries()) {
		head.setInt32(index * 4, Math.round(number), true);
	}
	put(new Int8Array(bytes.buffer, headBytes), windows.weights, unit);
	put(new Int8Array(bytes.buffer, headBytes + table), whole.weights, wholeUnit);
	return bytes;
};

const reads = injectionReads(values.data);
const {scored, offsets} = leaveOneOut(reads);
const figures = injectionTable(scored);
console.log(figures);

const model = learn([...reads.given, ...reads.own].filter(isTaught));
const plugin = join(import.meta.dirname, '../plugins/injection');
writeFileSync(join(plugin, 'weights.bin'), quantised(model, offsets));
console.log('weights.bin is written; now run npx node plugins/injection/build.ts');

if (values.write) {
	const file = new URL('../docs/quality.md', import.meta.url);
	const text = readFileSync(file, 'utf8');
	if (!text.includes('<!-- eval:injection -->')) throw new Error('docs/quality.md has no <!-- eval:injection --> to write between.');
	writeFileSync(
		file,
		text.replace(/(<!-- eval:injection -->\n)[\s\S]*?(<!-- \/eval:injection -->)/, (_, open, close) => `${open}\n${figures}\n\n${close}`),
	);
}
