import {type Hit, nobody, type Scanned, type Scanner, type Until} from './hits.ts';
import {endOf, placeOf, type Reading, readMarkup, readPlain} from './reading.ts';
import {isActive, longestTag, tagAt, unknownIn} from './tags.ts';
import {type Allowed, judgeBare, judgeName, judgeTarget} from './targets.ts';

export type LinkRules = {
	/** Where a click may lead. */
	links?: {rule: number; allowed: Allowed};
	/** What may be loaded without one. */
	images?: {rule: number; allowed: Allowed};
	html?: {rule: number; tags: 'active' | 'all'};
};

/** Longer addresses are not held back: what has come is taken away, and what follows with it. */
const longestHeld = 600;
const soonKnown = 48;
const mostBlanks = 200;
const lookBehind = 500;

/** Where an address, or a tag, may begin. */
const sign = /<(?=[A-Za-z/!?])|\](?=[(:])|url\(|(?:https?|ftp|wss?):[/\\]{2}|(?<![\p{L}\p{N}])www\.(?=[\p{L}\p{N}])/giu;
/** What may still become one of those. */
const openSign = /(?:<|\]|u|ur|url|h|ht|htt|https?|https?:[/\\]?|f|ft|ftp|ftp:[/\\]?|w|wss?|wss?:[/\\]?|ww|www\.?)$/i;
const autolink = /<[A-Za-z][A-Za-z0-9+.-]{1,31}:/y;
const blanks = /[ \t\n\r]{0,200}[<"']?/y;

const bareEnd = /[\s<>"`]/;

/** Where an address ends that begins at `start`: at a blank, a quote or a bracket that it did not open, or at `limit`. */
const addressEnd = (text: string, start: number, limit: number): number => {
	let deep = 0;
	const last = Math.min(text.length, limit);
	for (let at = start; at < last; at++) {
		const code = text.charCodeAt(at);
		if (code === 0x28) deep++;
		else if (code === 0x29) {
			if (--deep < 0) return at;
		} else if ((code <= 0x3e || code >= 0x60) && bareEnd.test(text[at]!)) return at;
	}
	return last;
};

/** Whether the bracket that closes at `at` opened behind an exclamation mark. One that opened too long ago counts as if it had. */
const isImage = (text: string, at: number): boolean => {
	let deep = 0;
	for (let back = at; back >= 0 && back > at - lookBehind; back--) {
		if (text[back] === ']') deep++;
		if (text[back] === '[' && --deep === 0) return text[back - 1] === '!';
	}
	return true;
};

/** Finds the addresses and tags of a text that was read as markup. */
const scanMarkup = (text: string, from: number, final: boolean, {links, images, html}: LinkRules): Scanned => {
	const found: Hit[] = [];
	const ruleFor = (loaded: boolean) => (loaded ? (images ?? links) : links);
	const allowedFor = (loaded: boolean) => ruleFor(loaded)?.allowed;
	let inside: {rule: number; until: Until} | undefined;

	/** An address from `at` on that belongs to a sign at `start`; answers how far all is decided, or -1 where it is not yet. */
	const address = (start: number, at: number, of: {rule: number; allowed: Allowed} | undefined, judge: typeof judgeTarget): number => {
		if (!of) return at;
		// Most lead to where one is already, and that shows at once.
		const early = addressEnd(text, at, at + soonKnown);
		const isWhole = early < at + soonKnown && (early < text.length || final);
		if (judge(text.slice(at, early), isWhole, of.allowed) === 'allowed') return at;
		const near = addressEnd(text, at, at + longestHeld);
		const ends = near < at + longestHeld && (near < text.length || final);
		const judged = judge(text.slice(at, near), ends, of.allowed);
		if (judged === 'open') return -1;
		if (judged === 'allowed' || near === at) return at;
		if (!ends && near < at + longestHeld) return -1;
		const end = ends ? near : addressEnd(text, at, text.length);
		if (end === text.length && !final) inside = {rule: of.rule, until: 'address'};
		found.push({start: at, end, rule: of.rule});
		if (start < at) found.push({start, end, rule: nobody, except: true});
		return end;
	};

	/** What a bracket begins: a tag, or an address between brackets. */
	const bracket = (start: number): number => {
		autolink.lastIndex = start;
		if (autolink.test(text)) return address(start, start + 1, links, judgeTarget);
		const tag = tagAt(text, start);
		const short = text.length - start < longestTag;
		if (tag.end === undefined && short && !final) return -1;
		// Whoever shows it may put something behind it that ends it.
		const end = tag.end ?? (short ? text.length : undefined);
		const before = found.length;
		if (end === undefined) {
			// Whatever it is, with a blank behind its bracket it is no tag.
			const rule = (html ?? images ?? links)!.rule;
			found.push({start, end: start + 1, rule, as: '< '});
			return start + 1;
		}
		if (html && (html.tags === 'all' || isActive(text, tag))) found.push({start, end, rule: html.rule});
		for (const {start: at, end: to, loaded} of unknownIn(text, tag, allowedFor))
			found.push({start: at, end: to, rule: ruleFor(loaded)!.rule});
		if (found.length > before) found.push({start, end, rule: nobody, except: true});
		return start + 1;
	};

	/** An address in markdown, or in a style: `](…)`, `]: …`, `url(…)`. */
	const target = (start: number, length: number, of: {rule: number; allowed: Allowed} | undefined): number => {
		blanks.lastIndex = start + length;
		const skipped = blanks.exec(text)![0].length;
		const at = start + length + skipped;
		if (at === text.length && !final && skipped < mostBlanks) return -1;
		if (of && skipped >= mostBlanks) {
			// With a blank behind its bracket it is no link.
			found.push({start, end: start + 1, rule: of.rule, as: '] '});
			return at;
		}
		return address(start, at, of, judgeTarget);
	};

	const decide = (start: number, spelled: string): number => {
		if (spelled === '<') return bracket(start);
		if (spelled === ']') return target(start, 2, ruleFor(text[start + 1] === ':' ? images !== undefined : isImage(text, start)));
		if (spelled === 'url(') return target(start, 4, ruleFor(true));
		return address(start, start, links, spelled === 'www.' ? judgeName : judgeBare);
	};

	sign.lastIndex = from;
	for (let match = sign.exec(text); match; match = sign.exec(text)) {
		const next = decide(match.index, match[0].toLowerCase());
		if (next < 0) return {found, open: match.index};
		if (inside) return {found, open: text.length, inside};
		sign.lastIndex = Math.max(next, match.index + 1);
	}
	if (final) return {found, open: text.length};
	const ending = openSign.exec(text.slice(Math.max(from, text.length - 8)));
	return {found, open: text.length - (ending?.[0].length ?? 0)};
};

type Joined = {text: string; placeAt(index: number): number; endAt(index: number): number};

const joined = (before: Reading, after: Reading, from: number): Joined => ({
	text: before.text + after.text,
	placeAt: index => (index < before.text.length ? placeOf(before, index) : from + placeOf(after, index - before.text.length)),
	endAt: index => (index <= before.text.length ? endOf(before, index) : from + endOf(after, index - before.text.length)),
});

/** Finds addresses that lead to where they may not, in markdown, HTML and plain words, and tags; written as they are, or as escapes and entities. */
export const openLinks =
	(rules: LinkRules): Scanner =>
	(text, from, final) => {
		// What has been decided is read by itself: no escape reaches across.
		const before = readMarkup(readPlain(text.slice(0, from)), true);
		const after = readMarkup(readPlain(text.slice(from)), final);
		const {text: read, placeAt, endAt} = joined(before, after, from);
		const {found, open, inside} = scanMarkup(read, before.text.length, final, rules);
		const left = from + after.end;
		return {
			found: found.map(hit => ({...hit, start: placeAt(hit.start), end: endAt(hit.end)})),
			open: inside ? text.length : Math.min(left, placeAt(open)),
			...(inside && {inside}),
		};
	};
