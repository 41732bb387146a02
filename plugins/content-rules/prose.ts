const fence = /^ {0,3}(?:```|~~~)/;

/** How code begins a line. */
const begun = /^(?:\/\/|\/\*|#!|#include|<[/!?\w]|\$ |>>> |@\w|[)}\]]+[,;]?$)/;
/** Signs that sentences seldom have; a line without one of `sign` has none of them. */
const code = /[{=(]$|=>|::|->|[=!<>]=|&&|\|\||\+=|\s=\s|\w\((?:\)|["'\d]|\w{1,40}[.,=([])|\w\[\w|[)\w]\s?};?$|\);$/g;
const block = /^(?:for|if|while|with|elif|else|try|except|def|class|switch|case)\b.*[:{]$/;
const sign = /[{}=()>:&|+[#/<$@]/;
/** A line is code with a sign for so many characters: a sentence may have one. */
const charsForSign = 60;
const isCode = (line: string): boolean =>
	sign.test(line) && (begun.test(line) || (line.match(code)?.length ?? 0) > line.length / charsForSign || block.test(line));
/** Within a fence, comments are a part of the code. */
const fenced =
	/^(?:#|\*|--|%|;|"""|'''|(?:import|from|return|raise|yield|assert|const|let|var|use|export|package|func|fn|pub|end|SELECT|FROM|WHERE)\b)/;

/** What is written without blanks of plain signs: a word, with what sentences put around it. */
const plain = /^["'(*_#>-]*(?:[A-Za-z]+(?:['-][A-Za-z]+)*)?["')*_.,;:!?-]*$/;
const camel = /[a-z][A-Z]/;
/** A line without any of these has nothing that is not plain. */
const odd = /[\d_=<>{}[\]@\\|$#^~`+%&/]|[a-z][A-Z]|[.:][!-~]|" ?:/;
const letters = /[\p{L}\p{M}]+(?:['’\u200c][\p{L}\p{M}]+)*/gu;
const inlineCode = /`[^`\n]{0,200}`/g;
/** Names of JSON, in strings of JSON too. */
const key = /"[\w -]{1,60}\\{0,8}" ?:/g;

/** Names begin so, and cells of tables; a line of nothing but capitals is read. */
const capital = /^(?=\p{Script=Latin})\p{Lu}/u;
const small = /\p{Ll}/u;

/** Whether a fence of code is open behind a text, where one was open before it or not. */
export const fencedAfter = (text: string, isFenced: boolean): boolean =>
	text.split('\n').filter(line => fence.test(line)).length % 2 === 0 ? isFenced : !isFenced;

/** The words of a text in small letters. Code, addresses, paths, names, and whatever has digits are no words. */
export const wordsOf = (text: string, isFenced: boolean): string[] => {
	let open = isFenced;
	let ofCode = 0;
	let ofProse = 0;
	const words: string[] = [];
	for (const line of text.split('\n')) {
		if (fence.test(line)) {
			open = !open;
			continue;
		}
		const said = line.trim();
		if (said === '') continue;
		if (isCode(said) || (open && fenced.test(said))) {
			ofCode += said.length;
			continue;
		}
		ofProse += said.length;
		const kept = odd.test(said)
			? said
					.replace(inlineCode, ' ')
					.replace(key, ' ')
					.replace(/[!-~]+/g, run => (plain.test(run) && !camel.test(run) ? run : ' '))
			: said;
		const isLoud = !small.test(kept);
		for (const word of kept.match(letters) ?? []) if (isLoud || !capital.test(word)) words.push(word.toLowerCase());
	}
	// A file of code has comments too.
	return ofCode > ofProse ? [] : words;
};
