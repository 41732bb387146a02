import {entropy} from './characters.ts';
import type {Found} from './found.ts';

const marked: ReadonlyArray<readonly [mark: string, before: number, pattern: RegExp, kind: string]> = [
	['Q~', 4, /[\w~.-]{3}\dQ~[\w~.-]{31,34}/y, 'azure-client-secret'],
	['.atlasv1.', 14, /\w{14}\.atlasv1\.[\w=-]{60,70}/y, 'terraform-cloud'],
	['-us', 32, /[\da-f]{32}-us\d{1,2}(?![\w-])/y, 'mailchimp'],
	[':AA', 10, /\d{9,10}:AA[\w-]{32,34}(?![\w-])/y, 'telegram-bot'],
	['|', 16, /\d{15,16}\|[\w-]{27,40}/y, 'facebook-app'],
];

/** Three parts, of which the first is a number in base 64. */
const discord = /(?:^|[^\w.-])([MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40})(?![\w.-])/;

const discordBot = (token: string, start: number): Found | undefined => {
	const match = token.length > 57 && token.includes('.') ? discord.exec(token) : null;
	if (match === null || !/\d/.test(match[1]!) || entropy(match[1]!) < 4) return;
	const end = start + match.index + match[0].length;
	return {start: end - match[1]!.length, end, category: 'provider-key', kind: 'discord-bot'};
};

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
	return discordBot(token, start);
};
