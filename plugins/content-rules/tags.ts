import {type Allowed, judgeTarget} from './targets.ts';

/** A tag, from its bracket on; without an end, the text has ended before it. */
export type Tag = {readonly name: string; readonly start: number; readonly end?: number};

export const longestTag = 600;

/** Those that run, load, send or change what is around them; others only say how words look. */
const active = new Set([
	...['script', 'style', 'link', 'meta', 'base', 'iframe', 'frame', 'frameset', 'object', 'embed', 'applet', 'param', 'portal', 'noscript'],
	...['form', 'input', 'button', 'select', 'textarea', 'option', 'isindex', 'keygen', 'template', 'slot', 'dialog', 'marquee'],
	...[
		'svg',
		'math',
		'img',
		'image',
		'picture',
		'video',
		'audio',
		'source',
		'track',
		'canvas',
		'map',
		'area',
		'body',
		'html',
		'head',
		'title',
	],
	...['animate', 'set', 'use', 'foreignobject', 'xml', 'plaintext', 'xmp', 'listing', 'noembed', 'noframes'],
]);

/** A handler, an address or a style of its own, wherever it stands in the tag. */
const loads =
	/(?:^|[\s"'/])(?:on[a-z]+|style|src|srcset|srcdoc|href|xlink:href|action|formaction|background|poster|data|ping)[\s\u0000]*=/iu;
const runs = /javascript:|vbscript:|data:text/i;

const nameOf = /^<[/!?]?([^\s/>]*)/;

/** The tag that begins at `start`, where a bracket with a letter, `/`, `!` or `?` behind it stands. */
export const tagAt = (text: string, start: number): Tag => {
	const limit = Math.min(text.length, start + longestTag);
	const name = nameOf.exec(text.slice(start, Math.min(limit, start + 100)))?.[1]?.toLowerCase() ?? '';
	let quote = '';
	for (let at = start + 1; at < limit; at++) {
		const sign = text[at]!;
		if (sign === '\u2028') return {name, start, end: at};
		if (quote !== '') {
			if (sign === quote) quote = '';
		} else if ((sign === '"' || sign === "'") && /[=\s]/.test(text[at - 1]!)) quote = sign;
		else if (sign === '>') return {name, start, end: at + 1};
	}
	return {name, start};
};

/** Whether it does more than say how words look. */
export const isActive = (text: string, {name, start, end}: Tag): boolean => {
	const written = text.slice(start, end ?? start + longestTag);
	return active.has(name) || name.includes('-') || name.includes(':') || loads.test(written) || runs.test(written);
};

const attribute =
	/(?:^|[\s"'/])(href|xlink:href|action|formaction|cite|ping|longdesc|src|srcset|data|poster|background|lowsrc|dynsrc|manifest|codebase|classid|icon|content|style)\s*=\s*("[^"]*"|'[^']*'|[^\s>]*)/giu;
/** What is gone to by a click; all others are loaded without one. */
const clicked = new Set(['href', 'xlink:href', 'action', 'formaction', 'cite', 'longdesc']);
const several = new Set(['srcset', 'ping', 'style', 'content']);

/** An address in a tag: where it stands, and whether it is loaded without a click. */
export type Named = {readonly start: number; readonly end: number; readonly loaded: boolean};

/** The addresses of a tag that lead to where `allowedFor` does not allow. */
export const unknownIn = (text: string, {name, start, end}: Tag, allowedFor: (loaded: boolean) => Allowed | undefined): Named[] => {
	const written = text.slice(start, end ?? start + longestTag);
	const unknown: Named[] = [];
	for (const found of written.matchAll(attribute)) {
		const [whole, key = '', quoted = ''] = found;
		const lower = key.toLowerCase();
		const loaded = !clicked.has(lower) || name === 'link' || name === 'image' || name === 'use' || name === 'base';
		const allowed = allowedFor(loaded);
		if (!allowed) continue;
		const isQuoted = /^["']/.test(quoted);
		const value = isQuoted ? quoted.slice(1, -1) : quoted;
		const at = start + found.index + whole.length - quoted.length + (isQuoted ? 1 : 0);
		const parts = several.has(lower) ? value.split(/[\s,;()'"]+|url=/i).filter(part => /[:/\\]/.test(part)) : [value];
		const bad = parts.some(part => judgeTarget(part, true, allowed) === 'unknown');
		if (bad && value !== '') unknown.push({start: at, end: at + value.length, loaded});
	}
	return unknown;
};
