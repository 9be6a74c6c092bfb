// baresip as a meeting room: registers, answers by itself, sends a moving picture and a tone.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const modules = '/usr/lib/baresip/modules';
const loaded = ['g711', 'opus', 'ausine', 'aubridge', 'avcodec', 'avformat', 'fakevideo', 'srtp'];

export function hasBaresip() {
	return existsSync('/usr/bin/baresip') && loaded.every((m) => existsSync(`${modules}/${m}.so`)) && existsSync('/usr/bin/ffmpeg');
}

/** @param {string} folder @param {string} user @param {string} password @param {number} port of the gateway, UDP @param {string} [dial] number that it calls */
export function startRoom(folder, user, password, port, dial = '') {
	const home = join(folder, user), clip = join(home, 'clip.mp4');
	mkdirSync(home, { recursive: true });
	execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=25:duration=60', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', clip],
		{ stdio: 'ignore' });
	writeFileSync(join(home, 'config'), `module_path ${modules}\n${loaded.map((m) => `module ${m}.so\n`).join('')}module_app account.so\nmodule_app menu.so
sip_listen 127.0.0.1:0\naudio_player aubridge,nobody\naudio_source ausine,440\naudio_alert aubridge,nobody\naudio_srate 48000
video_source avformat,${clip}\nvideo_display fakevideo,nil\nvideo_size 640x360\nvideo_bitrate 800000\nvideo_fps 25\nrtp_timeout 0\navcodec_h264enc libx264\n`);
	writeFileSync(join(home, 'accounts'), `<sip:${user}@127.0.0.1:${port};transport=udp>;auth_user=${user};auth_pass=${password};regint=60;answermode=auto;audio_codecs=opus/48000/2,PCMU/8000/1;video_codecs=H264\n`);
	const child = spawn('baresip', ['-f', home, ...(dial ? ['-e', `/dial sip:${dial}@127.0.0.1:${port}`] : [])], { stdio: ['ignore', 'pipe', 'pipe'], cwd: home });
	child.said = '';
	child.on('error', () => {});
	for (const pipe of [child.stdout, child.stderr]) {
		pipe.on('data', (text) => (child.said = (child.said + text).slice(-4000)));
	}
	return child;
}
