// sqlite3 is compiled against Node's headers, which node-gyp fetches from nodejs.org. Where that cannot be reached (behind a
// closed network with a registry of its own), the same headers come from the registry, out of the package of Node itself.
// npm runs every package's preinstall before any package's install, so this is in time for sqlite3.
import {execFileSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {get} from 'node:https';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';

const version = '24.21.0';
/** The layout that node-gyp marks its header folders with; since 2021. */
const installVersion = 11;
const patienceMs = 5_000;

const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const folder = join(cache, 'node-gyp', version);

const reachable = () =>
	new Promise(resolve => {
		const request = get(`https://nodejs.org/download/release/v${version}/SHASUMS256.txt`, {timeout: patienceMs}, response => {
			response.resume();
			resolve(response.statusCode === 200);
		});
		request.on('timeout', () => request.destroy()).on('error', () => resolve(false));
	});

const npm = (...words) => {
	const {npm_execpath: script} = process.env;
	const [program, leading] = script ? [process.execPath, [script]] : ['npm', []];
	return execFileSync(program, [...leading, ...words], {stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8'});
};

const fromRegistry = () => {
	const work = mkdtempSync(join(tmpdir(), 'sallyport-headers-'));
	try {
		npm('pack', `node-${process.platform}-${process.arch}@${version}`, '--pack-destination', work, '--silent');
		const [archive] = readdirSync(work).filter(name => name.endsWith('.tgz'));
		execFileSync('tar', ['-xzf', join(work, archive), '-C', work, 'package/include']);
		const ready = `${folder}.${process.pid}`;
		mkdirSync(ready, {recursive: true});
		cpSync(join(work, 'package/include'), join(ready, 'include'), {recursive: true});
		writeFileSync(join(ready, 'installVersion'), `${installVersion}\n`);
		renameSync(ready, folder);
	} finally {
		rmSync(work, {recursive: true, force: true});
	}
};

const needed = process.platform === 'linux' && !process.env.npm_config_nodedir && !existsSync(folder);
if (needed && !(await reachable())) {
	try {
		fromRegistry();
	} catch (error) {
		// Then node-gyp says for itself what it cannot find.
		console.error(`Node's headers could not be had from the registry: ${error.message}`);
	}
}
