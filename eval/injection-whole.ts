import {wholeTable} from '../plugins/injection/assembly/features.ts';
import {bestWindow, channels, importanceOf, learnWindows, type Read, shuffle, type Windows} from './injection-learn.ts';
import {seeded} from './injection-spin.ts';

/** Weights of what is in a text at all, wherever: a persona takes a page, and no window of it says much. */
export type Whole = {weights: Float32Array; biases: Float32Array};
export type Model = {windows: Windows; whole: Whole};

/** By how much the whole counts beside the worst window: in what users write, and nowhere else, where attacks are a line in a long text. */
export const wholeShare = [0.7, 0, 0, 0];
/** The features of a text share this much by the root of their number. */
export const wholeScale = 10;

const sumOf = ({weights, biases}: Whole, {whole, channel}: Read): number => {
	let sum = 0;
	for (const feature of whole) sum += weights[feature]!;
	return biases[channel]! + (whole.length === 0 ? 0 : (sum * wholeScale) / Math.sqrt(whole.length));
};

const learnWhole = (reads: readonly Read[]): Whole => {
	const [epochs, rate, decay] = [8, 0.1, 1e-4];
	const weights = new Float32Array(wholeTable);
	const mean = new Float32Array(wholeTable);
	const squares = new Float32Array(wholeTable).fill(0.01);
	const biases = new Float32Array(channels.length);
	const importance = importanceOf(reads, 1);
	const next = seeded(7);
	const order = reads.map((_, index) => index);
	const model = {weights, biases};
	for (let epoch = 0; epoch < epochs; epoch += 1) {
		shuffle(order, next);
		for (const index of order) {
			const read = reads[index]!;
			const gradient = importance[index]! * (1 / (1 + Math.exp(-sumOf(model, read))) - read.label);
			biases[read.channel]! -= 0.02 * gradient;
			const each = (gradient * wholeScale) / Math.sqrt(read.whole.length);
			for (const feature of read.whole) {
				const slope = each + decay * weights[feature]!;
				squares[feature]! += slope * slope;
				weights[feature]! -= (rate * slope) / Math.sqrt(squares[feature]!);
			}
		}
		if (epoch >= epochs / 2) for (let at = 0; at < wholeTable; at += 1) mean[at]! += weights[at]!;
	}
	return {weights: mean.map(weight => weight / (epochs / 2)), biases};
};

/** Learns both; the same rows give the same weights. */
export const learn = (reads: readonly Read[]): Model => ({windows: learnWindows(reads), whole: learnWhole(reads)});

/** What the plugin will score a text with these weights, in log-odds, but for the rounding of the weights. */
export const scoreOf = ({windows, whole}: Model, read: Read): number => {
	const share = wholeShare[read.channel]!;
	return bestWindow(windows, read).score + (share === 0 ? 0 : share * sumOf(whole, read));
};
