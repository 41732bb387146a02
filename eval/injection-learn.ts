import {Features, lexical, mostFeatures, table} from '../plugins/injection/assembly/features.ts';
import {pieceUnits, Reader} from '../plugins/injection/assembly/reader.ts';
import {doublings, longestSteps, shortestSteps, stepWords} from '../plugins/injection/assembly/scanner.ts';
import type {Row} from './injection-rows.ts';
import {seeded} from './injection-spin.ts';

/** The channels a text can come in by, as the plugin numbers them. */
export const channels = ['user', 'tool', 'tool_desc', 'assistant'] as const;
export const channelOf = (name: string): number => Math.max(0, channels.indexOf(name as (typeof channels)[number]));

/** A text as features, in steps of a few words: those of step n end before `ends[n]`. `whole` has those of the whole text, each once. */
export type Read = {row: Row; channel: number; label: 0 | 1; features: Int32Array; ends: Int32Array; whole: Int32Array};

/** Reads the beginning of a text, up to one piece of it. */
export const featureReader = (): ((row: Row) => Read) => {
	const reader = new Reader();
	const features = new Features();
	const found = new Int32Array(4 * pieceUnits * mostFeatures);
	return row => {
		const channel = channelOf(row.channel);
		reader.read(row.text, 0, Math.min(row.text.length, pieceUnits));
		features.begin();
		const ends: number[] = [];
		const whole = new Set<number>();
		let count = 0;
		for (let index = 0; index < reader.count; index += 1) {
			features.of(reader, index, channel);
			for (let at = 0; at < features.count; at += 1) found[count++] = features.found[at]!;
			for (let at = 0; at < features.wholeCount; at += 1) whole.add(features.whole[at]!);
			if ((index + 1) % stepWords === 0 || index + 1 === reader.count) ends.push(count);
		}
		return {row, channel, label: row.label, features: found.slice(0, count), ends: Int32Array.from(ends), whole: Int32Array.from(whole)};
	};
};

/** Weights of windows. */
export type Windows = {weights: Float32Array; biases: Float32Array};

/** The best window of a text: its score and which features are in it. */
export const bestWindow = ({weights, biases}: Windows, {features, ends, channel}: Read): {score: number; from: number; to: number} => {
	const sums: number[] = [0];
	let at = 0;
	let sum = 0;
	for (const end of ends) {
		for (; at < end; at += 1) sum += weights[features[at]!]!;
		sums.push(sum);
	}
	let best = {score: ends.length === 0 ? 0 : -Infinity, from: 0, to: 0};
	for (let last = 1; last < sums.length; last += 1) {
		for (let size = shortestSteps; size <= longestSteps; size *= 2) {
			const first = Math.max(0, last - size);
			const score = sums[last]! - sums[first]!;
			if (score > best.score) best = {score, from: first === 0 ? 0 : ends[first - 1]!, to: ends[last - 1]!};
		}
	}
	best.score -= lengthPenalty * doublings(ends.length);
	best.score += biases[channel]!;
	return best;
};

/** What a text twice as long has to score more, in log-odds: it has as many more windows to be wrong in. */
export const lengthPenalty = 0.4;

export type Settings = {words: number; epochs: number; rate: number; decay: number; dropped: number; positives: number};
export const settings: Settings = {words: 0.7, epochs: 10, rate: 0.12, decay: 1e-4, dropped: 0.5, positives: 1.5};

/** How much each text counts: sources of one label by the root of their size, attacks `positives` times as much as harmless texts. */
export const importanceOf = (reads: readonly Read[], positives: number): Float64Array => {
	const key = ({row, label}: Read): string => `${label} ${row.source}`;
	const sizes = new Map<string, number>();
	for (const read of reads) sizes.set(key(read), (sizes.get(key(read)) ?? 0) + 1);
	const weights = Float64Array.from(reads, read => sizes.get(key(read))! ** -0.5);
	const totals = [0, 0];
	for (const [index, {label}] of reads.entries()) totals[label]! += weights[index]!;
	return weights.map((weight, index) => {
		const {label} = reads[index]!;
		return (weight * reads.length * (label ? positives : 1)) / (2 * totals[label]!);
	});
};

export const shuffle = (order: number[], next: () => number): void => {
	for (let index = order.length - 1; index > 0; index -= 1) {
		const other = Math.floor(next() * (index + 1));
		[order[index], order[other]] = [order[other]!, order[index]!];
	}
};

/**
 * Logistic regression on the best window of each text, by stochastic gradient descent with Adagrad: seeded, one thread, no
 * clock, so the same rows give the same weights.
 */
const learnOnce = (reads: readonly Read[], {words, epochs, rate, decay, dropped, positives}: Settings, seed: number): Windows => {
	const weights = new Float32Array(table);
	const mean = new Float32Array(table);
	const squares = new Float32Array(table).fill(0.1);
	const biases = new Float32Array(channels.length).fill(-2);
	const importance = importanceOf(reads, positives);
	const model = {weights, biases};
	const next = seeded(seed);
	const order = reads.map((_, index) => index);
	for (let epoch = 0; epoch < epochs; epoch += 1) {
		shuffle(order, next);
		for (const index of order) {
			const read = reads[index]!;
			// Where an attack hides in a long text is only to be seen once the short ones are known.
			if (epoch < 2 && read.label && read.ends.length > longestSteps) continue;
			const {score, from, to} = bestWindow(model, read);
			const gradient = importance[index]! * (1 / (1 + Math.exp(-score)) - read.label);
			if (Math.abs(gradient) < 0.002) continue;
			biases[read.channel]! -= 0.02 * gradient;
			for (let at = from; at < to; at += 1) {
				if (next() < dropped) continue;
				const feature = read.features[at]!;
				const slope = gradient + decay * weights[feature]!;
				squares[feature]! += slope * slope;
				weights[feature]! -= ((feature < lexical ? rate * words : rate) * slope) / Math.sqrt(squares[feature]!);
			}
		}
		if (epoch >= epochs / 2) for (let at = 0; at < table; at += 1) mean[at]! += weights[at]!;
	}
	const counted = epochs - Math.ceil(epochs / 2);
	return {weights: mean.map(weight => weight / counted), biases};
};

const seeds = [20_261, 20_262, 20_263, 20_264];

/** The mean of what several orders of the texts teach: one order alone is a matter of luck where harmless texts are rare. */
export const learnWindows = (reads: readonly Read[]): Windows => {
	const weights = new Float32Array(table);
	const biases = new Float32Array(channels.length);
	for (const seed of seeds) {
		const learnt = learnOnce(reads, settings, seed);
		for (let at = 0; at < table; at += 1) weights[at]! += learnt.weights[at]! / seeds.length;
		for (let at = 0; at < biases.length; at += 1) biases[at]! += learnt.biases[at]! / seeds.length;
	}
	return {weights, biases};
};
