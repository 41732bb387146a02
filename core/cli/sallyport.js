#!/usr/bin/env node
// Plain JavaScript, so that an old Node can read it and hand over to the right one.
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
	await import('./main.ts');
} else {
	const own = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
	if (!existsSync(own)) {
		console.error(`Sallyport needs Node 24.12 or newer; this is ${process.versions.node}. Run npm install in its folder, which brings one.`);
		process.exit(1);
	}
	const {status} = spawnSync(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {stdio: 'inherit'});
	process.exit(status ?? 1);
}
