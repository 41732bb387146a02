import {allow, definePlugin, deny, rewrite} from 'sallyport/plugin-sdk';
import * as z from 'zod';
import {matcher} from './matcher.ts';

const config = z.strictObject({
	words: z.array(z.string().min(1).max(200)).min(1).max(10_000),
	action: z.enum(['deny', 'mask']),
	caseSensitive: z.boolean().default(false),
	wholeWords: z.boolean().default(true),
});
type Config = z.output<typeof config>;

const refused = () => deny({code: 'content_blocked', message: 'This text holds a word that is not allowed here.', rule: 'word-list'});

/** A config is the same object for as long as the plugin lives. */
const matchers = new WeakMap<Config, ReturnType<typeof matcher>>();
const scanner = (given: Config) => {
	const known = matchers.get(given) ?? matcher(given);
	matchers.set(given, known);
	return known;
};

/** All of a request's or a reply's text at once. */
const whole = (text: readonly string[], given: Config) => {
	const scan = scanner(given);
	const patch: Record<string, string> = {};
	for (const [index, part] of text.entries()) {
		const {hit, masked} = scan(part, true);
		if (!hit) continue;
		if (given.action === 'deny') return refused();
		patch[index] = masked;
	}
	return Object.keys(patch).length > 0 ? rewrite({text: patch}) : allow();
};

/** A piece of a reply that streams; what may be the beginning of a word is held back. */
const piece = ({text, final}: {text: string; final: boolean}, given: Config) => {
	const {hit, clear, masked} = scanner(given)(text, final);
	if (!hit) return allow({clear});
	return given.action === 'deny' ? refused() : rewrite({window: masked}, {clear});
};

export default definePlugin({
	config,
	hooks: {
		'pre-request': ({text}, {config: given}) => whole(text, given),
		'post-response': ({text, window}, {config: given}) => (window ? piece(window, given) : whole(text, given)),
	},
});
