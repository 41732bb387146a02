import {accessSync, constants, statSync} from 'node:fs';
import {delimiter, isAbsolute, join, resolve} from 'node:path';

/** May this file be run? */
export const isProgram = (file: string): boolean => {
	try {
		accessSync(file, constants.X_OK);
		return statSync(file).isFile();
	} catch {
		return false;
	}
};

/** The file that `command` names, found in `path` as a shell would: the process itself gets no PATH but one that is named. */
export const executable = (command: string, folder: string, path = ''): string => {
	if (isAbsolute(command)) return command;
	if (/[\\/]/.test(command)) return resolve(folder, command);
	return (
		path
			.split(delimiter)
			.map(place => join(place, command))
			.find(isProgram) ?? command
	);
};
