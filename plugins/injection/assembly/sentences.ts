// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {Scanner} from './scanner.ts';

/** So many sentences of one text are taken out; of one that needs more, all is. */
const mostSentences: i32 = 16;
/** So many units are read again in all, after something was taken out. */
const mostRead: i32 = 400000;
/** A sentence is looked for so far from what was found. */
const farthest: i32 = 300;

function endsSentence(text: string, at: i32): bool {
	const unit = text.charCodeAt(at);
	if (unit == 10 || unit == 0x3002 || unit == 0xff01 || unit == 0xff1f) return true;
	if (unit != 0x2e && unit != 0x21 && unit != 0x3f) return false;
	return at + 1 >= text.length || text.charCodeAt(at + 1) <= 32;
}

/** The sentences of a text that make it score too much. */
export class Sentences {
	starts: Array<i32> = [];
	ends: Array<i32> = [];
	scores: Array<i32> = [];
	private left: i32 = mostRead;

	/** Begins with other texts. */
	begin(): void {
		this.left = mostRead;
	}

	/** Looks for them until what is left scores less than `least` as judged by `channel`; the places are those in `text`. */
	find(scanner: Scanner, text: string, channel: i32, least: number): void {
		this.starts = [];
		this.ends = [];
		this.scores = [];
		let left = text;
		while (true) {
			const score = scanner.score(left, channel);
			if (scanner.probability(score) < least) return;
			if (this.starts.length == mostSentences || this.left < text.length) {
				this.starts = [0];
				this.ends = [text.length];
				this.scores = [score];
				return;
			}
			const third = (scanner.end - scanner.start) / 3;
			const start = this.before(left, scanner.start, third);
			const end = this.after(left, scanner.end, third);
			this.left -= text.length;
			this.starts.push(start);
			this.ends.push(end);
			this.scores.push(score);
			left = left.substring(0, start) + ' '.repeat(end - start) + left.substring(end);
		}
	}

	/** Where the sentence begins that is at `from`, or, if that ends within `near`, the one after it. */
	private before(text: string, from: i32, near: i32): i32 {
		let at = from;
		for (let next = from + near - 1; next >= from; next--) {
			if (!endsSentence(text, next)) continue;
			at = next + 1;
			break;
		}
		if (at == from) while (at > 0 && from - at < farthest && !endsSentence(text, at - 1)) at--;
		while (at < from + near && text.charCodeAt(at) <= 32) at++;
		return at;
	}

	/** Where the sentence ends that is before `to`, or, if that began within `near`, the one before it. */
	private after(text: string, to: i32, near: i32): i32 {
		for (let at = to - near; at < to; at++) if (at > 0 && endsSentence(text, at)) return text.charCodeAt(at) == 10 ? at : at + 1;
		let at = to;
		while (at < text.length && at - to < farthest && !endsSentence(text, at)) at++;
		return at < text.length && text.charCodeAt(at) != 10 ? at + 1 : at;
	}

	/** The text without them, with `instead` in place of each. */
	without(text: string, instead: string): string {
		const parts: Array<string> = [];
		let from = 0;
		while (true) {
			let next = -1;
			for (let index = 0; index < this.starts.length; index++) {
				if (this.ends[index] > from && (next < 0 || this.starts[index] < this.starts[next])) next = index;
			}
			if (next < 0) break;
			if (this.starts[next] > from) parts.push(text.substring(from, this.starts[next]));
			parts.push(instead);
			from = this.ends[next];
		}
		parts.push(text.substring(from));
		return parts.join('');
	}
}
