import {registerHooks} from 'node:module';

const house = new URL('../../package.json', import.meta.url).href;
const ours = /^(sallyport\/|ava$|zod($|\/))/;

// A config or a plugin may lie anywhere, and there is nothing to install beside it: what we bring is found here.
registerHooks({
	resolve(specifier, context, next) {
		try {
			return next(specifier, context);
		} catch (error) {
			if (!ours.test(specifier)) throw error;
			return next(specifier, {...context, parentURL: house});
		}
	},
});
