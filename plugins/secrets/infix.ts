import {entropy} from './characters.ts';
import type {Found} from './found.ts';

const marked: ReadonlyArray<readonly [mark: string, before: number, pattern: RegExp, kind: string]> = [
	['Q~', 4, /[\w~.-]{3}\dQ~[\w~.-]{31,34}/y, 'azure-client-secret'],
	['.atlasv1.', 14, /\w{14}\.atlasv1\.[\w=-]{60,70}/y, 'terraform-cloud'],
	['|', 16, /\d{15,16}\|[\w-]{27,40}/y, 'facebook-app'],
];

/** A key that shows itself by what stands in its middle, anywhere in `token`, a piece of the text that begins at `start`. */
export const matchInfix = (token: string, start: number): Found | undefined => {
	for (const [mark, before, pattern, kind] of marked) {
		const at = token.indexOf(mark);
		if (at < before - 1) continue;
		for (const from of [at - before, at - before + 1]) {
			if (from < 0) continue;
			pattern.lastIndex = from;
			const match = pattern.exec(token);
			if (match !== null && entropy(match[0]) >= 3) {
				return {start: start + from, end: start + pattern.lastIndex, category: 'provider-key', kind};
			}
		}
	}
};
