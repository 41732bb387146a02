import * as z from 'zod';
import {allow, definePlugin, deny, rewrite} from '../../plugin-sdk/index.ts';
import {visible, visibleOnly} from '../tool-pins/characters.ts';

const config = z.strictObject({
	/** `remove` takes them out, `write-out` puts `\u{e0041}` in their place, `deny` refuses the whole answer, `flag` says so in the record. */
	action: z.enum(['remove', 'write-out', 'deny', 'flag']).default('remove'),
});

const written = {remove: visibleOnly, 'write-out': visible, deny: visibleOnly, flag: visibleOnly};

export default definePlugin({
	config,

	hooks: {
		/** Leaves of each text what a reader sees. */
		'post-response'({text}, {config: {action}}) {
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
			return deny({code: 'content_blocked', message: 'The answer holds characters that nobody sees.', rule: 'hidden', annotate});
		},
	},
});
