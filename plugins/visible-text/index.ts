import * as z from 'zod';
import {allow, definePlugin, deny, rewrite} from '../../plugin-sdk/index.ts';
import {visible, visibleOnly} from '../tool-pins/characters.ts';

const config = z.strictObject({
	/** `remove` takes them out, `write-out` puts `\u{e0041}` in their place, `deny` refuses the whole answer, `flag` says so in the record. */
	action: z.enum(['remove', 'write-out', 'deny', 'flag']).default('remove'),
});

const written = {remove: visibleOnly, 'write-out': visible, deny: visibleOnly, flag: visibleOnly};

type Action = z.output<typeof config>['action'];

const judged = (text: readonly string[], action: Action) => {
	const patch: Record<string, string> = {};
	for (const [index, given] of text.entries()) {
		const seen = written[action](given);
		if (seen !== given) patch[index] = seen;
	}
	const found = Object.keys(patch).length;
	if (found === 0) return undefined;
	const annotate = {texts: found};
	if (action === 'flag') return allow({annotate});
	if (action !== 'deny') return rewrite({text: patch}, {annotate});
	return deny({code: 'content_blocked', message: 'This holds characters that nobody sees.', rule: 'hidden', annotate});
};

export default definePlugin({
	config,

	hooks: {
		/** Leaves of what a server asks its caller what a reader sees. */
		'pre-request': ({text}, {config: {action}}) => judged(text, action),

		/** And of what it answers. */
		'post-response': ({text}, {config: {action}}) => judged(text, action),
	},
});
