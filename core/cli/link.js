// Run by npm install in a checkout: npx finds a package's own command without asking npm to install the package first.
import {existsSync, rmSync, symlinkSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const bin = new URL('../../node_modules/.bin/', import.meta.url);
if (process.platform !== 'win32' && existsSync(bin)) {
	const link = fileURLToPath(new URL('sallyport', bin));
	rmSync(link, {force: true});
	symlinkSync('../../core/cli/sallyport.js', link);
}
