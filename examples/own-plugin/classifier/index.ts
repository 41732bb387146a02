import {definePlugin, deny} from 'sallyport/plugin-sdk';
import * as z from 'zod';

const answer = z.object({label: z.enum(['public', 'internal', 'secret'])});

export default definePlugin({
	config: z.strictObject({
		// A sandbox has no URL, so z.url() would refuse every address.
		url: z.string().startsWith('http'),
	}),

	hooks: {
		/** Asks the classifier. When it does not answer, this throws, and the gateway refuses: that is its default. */
		async 'pre-request'({text}, {config, http}) {
			const {value, error} = await http.fetch({
				url: config.url,
				method: 'POST',
				headers: {'content-type': 'application/json'},
				body: JSON.stringify({text}),
			});
			if (error) throw new Error(error.message);
			const {label} = answer.parse(JSON.parse(value.body));
			if (label !== 'secret') return undefined;
			return deny({code: 'content_blocked', message: 'This text is classified as secret.', rule: 'secret'});
		},
	},
});
