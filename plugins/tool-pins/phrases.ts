import {isPlain, latin, plain} from './characters.ts';

/** One of each of these words, in this order, with at most `gap` others between two of them. A word with `*` stands for all that begin so. */
type Phrase = {rule: string; weight: number; words: readonly string[]; gap: number};

/** What a description of a tool does not need, and what tells a model to do something else does. Ten are enough to be found. */
const phrases: readonly Phrase[] = [
	{
		rule: 'ignore-instructions',
		weight: 10,
		gap: 4,
		words: [
			'ignore disregard forget override bypass neglect',
			'previous prior above earlier preceding other all any your system user',
			'instruct* rule* prompt* guideline* directive* polic* safeguard* restriction*',
		],
	},
	{rule: 'ignore-instructions', weight: 10, gap: 4, words: ['ignoriere* vergiss missachte*', 'anweisung* regel* vorgabe*']},
	{rule: 'ignore-instructions', weight: 10, gap: 4, words: ['ignora* olvida* ignorez oublie*', 'instruc* consigne* regla* règle*']},
	{rule: 'ignore-instructions', weight: 10, gap: 4, words: ['игнорируй* забудь*', 'инструкци* указани* правил*']},
	{
		rule: 'secrecy',
		weight: 8,
		gap: 4,
		words: [
			"don't dont not never without",
			'tell* mention* inform* reveal* notify* notif* show* say* disclos* alert* telling',
			'user* human* anyone person',
		],
	},
	{rule: 'secrecy', weight: 6, gap: 3, words: ['keep hide conceal', 'secret hidden this it', 'from user*']},
	{
		rule: 'before-tool',
		weight: 5,
		gap: 3,
		words: [
			'before when whenever after',
			'using calling invoking running use* call* invok*',
			'this any other another every',
			'tool* function*',
		],
	},
	{rule: 'must-call', weight: 4, gap: 4, words: ['must always', 'call* invoke* use* run* execute*', 'first before instead also']},
	{
		rule: 'must-read',
		weight: 5,
		gap: 5,
		words: [
			'must should please first always need*',
			'read open load fetch cat',
			'file* content* secret* credential* key* password* history conversation',
		],
	},
	{
		rule: 'pass-along',
		weight: 6,
		gap: 6,
		words: [
			'pass send include append attach forward upload post provide put',
			'content* conversation history secret* credential* password* token* message* key*',
			'as to in into',
		],
	},
	{
		rule: 'other-tools',
		weight: 6,
		gap: 3,
		words: [
			"don't dont not never instead",
			'use* call* invok* using calling',
			'other another any original built*',
			'tool* function* server*',
		],
	},
	{
		rule: 'recipient',
		weight: 6,
		gap: 6,
		words: [
			'all every each any',
			'email* mail* message* payment* transfer* request*',
			'must should to instead',
			'to sent recipient address bcc forwarded',
		],
	},
	{rule: 'role', weight: 6, gap: 1, words: ['you', "are you're act", 'now', 'a an the in no']},
	{rule: 'role', weight: 6, gap: 2, words: ['new updated real actual', 'system secret', 'instruct* prompt* directive*']},
	{rule: 'role', weight: 5, gap: 0, words: ['system', 'prompt* instruct*']},
	{rule: 'otherwise', weight: 3, gap: 6, words: ['otherwise else', 'tool function this it', 'not fail* crash* break*']},
];

/** Marks that words alone do not show. Each pattern is linear in the text. */
const marks: readonly {rule: string; weight: number; pattern: RegExp}[] = [
	{
		rule: 'tag',
		weight: 8,
		pattern: /<[/|]?(?:important|system|secret|hidden|instructions?|admin|assistant|user_?query|override|im_start|sys)\b/,
	},
	{rule: 'tag', weight: 8, pattern: /\[\/?(?:inst|system|important|admin)\]|<!--/},
	{
		rule: 'secret-place',
		weight: 6,
		pattern: /\.ssh\b|\bid_(?:rsa|ed25519|ecdsa)\b|\.aws\b|mcp\.json|\.env\b|\/etc\/(?:passwd|shadow)|\.npmrc|\.netrc|\.kube\b|\.cursor\b/,
	},
	{rule: 'jailbreak', weight: 6, pattern: /\b(?:jailbreak|developer mode|dan mode|god mode)\b/},
	{rule: 'script', weight: 6, pattern: /javascript:|data:text\/html|<script\b|\$\(|\bcurl \S|\bbash -c\b|\brm -rf\b/},
	{
		rule: 'ignore-instructions',
		weight: 10,
		pattern: /(?:忽略|无视|無視).{0,12}(?:指令|指示|规则|規則|提示)|(?:以前|上記|前)の(?:指示|命令).{0,8}(?:無視|忘れ)/,
	},
];

const enough = 10;

const parsed = (step: string) => {
	const all = step.split(' ');
	return {
		words: all.filter(word => !word.endsWith('*')),
		stems: all.filter(word => word.endsWith('*')).map(word => word.slice(0, -1)),
	};
};

const compiled = phrases.map(({words, ...phrase}) => ({
	...phrase,
	steps: words.map(step => {
		const {words, stems} = parsed(step);
		const exact = new Set(words);
		return (word: string) => exact.has(word) || stems.some(stem => word.startsWith(stem));
	}),
}));
type Compiled = (typeof compiled)[number];

/** Which phrases a word may begin: most words of a text none. */
const openBeginnings = (): ((word: string) => readonly Compiled[]) => {
	const byWord = new Map<string, Compiled[]>();
	const byStem: [stem: string, phrase: Compiled][] = [];
	for (const [index, phrase] of compiled.entries()) {
		const {words, stems} = parsed(phrases[index]!.words[0]!);
		for (const word of words) byWord.set(word, [...(byWord.get(word) ?? []), phrase]);
		for (const stem of stems) byStem.push([stem, phrase]);
	}
	const none: Compiled[] = [];
	return word => {
		const exact = byWord.get(word) ?? none;
		const longer = byStem.filter(([stem]) => word.startsWith(stem)).map(([, phrase]) => phrase);
		return longer.length === 0 ? exact : [...exact, ...longer];
	};
};
const beginningWith = openBeginnings();

const stands = (words: readonly string[], at: number, {steps, gap}: Compiled): boolean => {
	let from = at;
	for (const [index, step] of steps.entries()) {
		const until = index === 0 ? from : Math.min(words.length - 1, from + gap);
		while (from <= until && !step(words[from]!)) from++;
		if (from > until) return false;
		from++;
	}
	return true;
};

const wordsOf = (text: string): readonly string[] => {
	if (isPlain(text)) return text.match(/[a-z0-9]+(?:'[a-z]+)?/g) ?? [];
	return text.match(/[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)?/gu)?.map(word => word.replace('’', "'")) ?? [];
};

/** The rules that a text breaks, when they weigh enough together; each counts once. Linear in the text. */
export const instructionLike = (text: string): string[] => {
	const read = plain(text);
	const found = new Map<string, number>();
	const add = (rule: string, weight: number): void => void found.set(rule, Math.max(weight, found.get(rule) ?? 0));
	for (const own of new Set([read, latin(read)])) {
		for (const {rule, weight, pattern} of marks) if (pattern.test(own)) add(rule, weight);
		const words = wordsOf(own);
		for (let at = 0; at < words.length; at++)
			for (const phrase of beginningWith(words[at]!)) if (stands(words, at, phrase)) add(phrase.rule, phrase.weight);
	}
	const weight = [...found.values()].reduce((sum, own) => sum + own, 0);
	return weight >= enough ? [...found.keys()].sort() : [];
};
