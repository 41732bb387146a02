import {sha256} from '../webhooks/sha256.ts';
import {base64, utf8} from '../webhooks/text.ts';
import type {Opinion} from './shapes.ts';

const most = 10_000;

/** Opinions by a digest of what they are about: the texts themselves are not kept. In memory, each for `forMs` at most. */
export const openRemembered = () => {
	const known = new Map<string, {opinion: Opinion; until: number}>();
	return {
		nameOf: (...parts: readonly string[]): string => base64(sha256(utf8(JSON.stringify(parts)))),
		get(name: string, now: number): Opinion | undefined {
			const found = known.get(name);
			if (!found) return undefined;
			known.delete(name);
			if (found.until <= now) return undefined;
			// Those not asked about for longest come first.
			known.set(name, found);
			return found.opinion;
		},
		put(name: string, opinion: Opinion, until: number): void {
			known.set(name, {opinion, until});
			if (known.size <= most) return;
			const [oldest] = known.keys();
			known.delete(oldest!);
		},
	};
};
