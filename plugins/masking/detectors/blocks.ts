import {DIGIT, isKind, KEY, LOWER, UPPER, USER_STOP} from './classes.ts';
import {type Found, longest, open} from './found.ts';
import {readRun, settle} from './keys.ts';

const longestLabel = 48;
const dashes = '-----';

/** The label of `-----BEGIN LABEL-----` from `index` on; `undefined` when it is none, `''` when the text ends too early. */
const readLabel = (text: string, index: number, final: boolean): string | undefined => {
	let end = index;
	while (end < index + longestLabel && (isKind(text, end, UPPER | DIGIT) || text.charCodeAt(end) === 0x20)) {
		end++;
	}

	const closing = text.slice(end, end + dashes.length);
	if (closing === dashes && end > index) {
		return text.slice(index, end);
	}

	return !final && end + dashes.length > text.length && dashes.startsWith(closing) ? '' : undefined;
};

const footer = '-----END ';

/** Where a key block that is open at `index` ends: after its footer, or with the text. Without a footer the last characters stay undecided. */
export const blockEnd = (text: string, index: number, final: boolean): {end: number; touches: boolean} => {
	let at = text.indexOf(footer, index);
	while (at !== -1) {
		const label = readLabel(text, at + footer.length, final);
		if (label === '') {
			return {end: at, touches: true};
		}

		if (label !== undefined) {
			return {end: at + footer.length + label.length + dashes.length, touches: false};
		}

		at = text.indexOf(footer, at + 1);
	}

	return final ? {end: text.length, touches: false} : {end: Math.max(index, text.length - footer.length + 1), touches: true};
};

/** A private key block whose `-----BEGIN` has its B at `at`: masked from there to its footer, or to the end of the text. */
export const matchBlock = (text: string, at: number, floor: number, final: boolean): Found | undefined => {
	const start = at - dashes.length;
	if (start < floor || !text.startsWith(dashes, start)) {
		return;
	}

	const word = 'BEGIN ';
	if (!text.startsWith(word, at)) {
		return;
	}

	const label = readLabel(text, at + word.length, final);
	if (label === '') {
		return open(start);
	}

	if (label === undefined || !/PRIVATE KEY(?: BLOCK)?$/.test(label)) {
		return;
	}

	const {end, touches} = blockEnd(text, at + word.length + label.length + dashes.length, final);
	return {start, end, type: 'API_KEY', inside: touches ? 'pem' : '', reversible: false};
};

/** Addresses that let whoever has them post. */
const hooks = [
	'hooks.slack.com/services/',
	'hooks.slack.com/workflows/',
	'hooks.slack.com/triggers/',
	'chat.googleapis.com/v1/spaces/',
	'discord.com/api/webhooks/',
	'discordapp.com/api/webhooks/',
];

const hookLength = 20;
const longestScheme = 16;
const longestUser = 128;
const longestHost = 96;

/** `user:password@host`, from after the two slashes on. */
const matchUser = (text: string, start: number, body: number, final: boolean): Found | undefined => {
	let at = body;
	let colon = -1;
	while (at < body + longestUser && at < text.length && !isKind(text, at, USER_STOP)) {
		if (colon === -1 && text.charCodeAt(at) === 0x3a) {
			colon = at;
		}

		at++;
	}

	if (at >= text.length) {
		return final ? undefined : open(start);
	}

	if (text[at] !== '@' || colon === -1 || colon === at - 1 || text[colon + 1] === '$') {
		return;
	}

	let end = at + 1;
	while (end < at + longestHost && (isKind(text, end, KEY) || ((text[end] === '.' || text[end] === ':') && isKind(text, end + 1, KEY)))) {
		end++;
	}

	if (end + 1 >= text.length && !final) {
		return open(start);
	}

	return end > at + 1 ? {start, end, type: 'API_KEY', reversible: true} : undefined;
};

const matchHook = (text: string, start: number, body: number, final: boolean): Found | undefined => {
	for (const hook of hooks) {
		if (text.startsWith(hook, body)) {
			const from = body + hook.length;
			const {end, touches} = readRun(text, from, 'url', final, start + longest);
			if (touches && end - start < longest) {
				return open(start);
			}

			return end - from < hookLength ? undefined : settle(text, start, end, 'url', final);
		}

		if (!final && body + hook.length > text.length && hook.startsWith(text.slice(body))) {
			return open(start);
		}
	}
};

/** A URL that is a secret itself or has one in it, whose colon is at `at`. */
export const matchUrl = (text: string, at: number, floor: number, final: boolean): Found | undefined => {
	let start = at;
	while (start > floor && start > at - longestScheme && (isKind(text, start - 1, UPPER | LOWER | DIGIT) || text[start - 1] === '+')) {
		start--;
	}

	while (start < at && !isKind(text, start, UPPER | LOWER)) {
		start++;
	}

	if (start === at) {
		return;
	}

	if (!text.startsWith('//', at + 1)) {
		return !final && '//'.startsWith(text.slice(at + 1)) ? open(start) : undefined;
	}

	return matchHook(text, start, at + 3, final) ?? matchUser(text, start, at + 3, final);
};
