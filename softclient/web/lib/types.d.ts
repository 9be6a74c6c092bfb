// The objects of the client API as the pages see them. Times are wall-clock UTC in milliseconds; 0 = not yet.

declare namespace Ortoo {
	type Role = 'administrator' | 'dispatcher' | 'viewer' | 'auditor' | 'wall' | 'room' | 'field' | 'system';
	type SceneState = 'absent' | 'calling' | 'ringing' | 'connecting' | 'present' | 'degraded' | 'held' | 'leaving'
		| 'failed' | 'refused' | 'no_answer' | 'unreachable';
	type WindowState = 'empty' | 'waiting' | 'drawn' | 'frozen' | 'lost';

	interface Session {
		subject: string;
		name: string;
		role: Role;
		expires_ms: number;
		party?: string;
		incident?: string;
		scene?: string;
		incident_text?: string;
		drill?: boolean;
		division?: string;
		second_factor?: boolean;
		second_factor_wanted?: boolean;
		limited?: boolean;
	}
	interface Position { lat: number; lon: number; accuracy_m: number; at_ms: number }
	interface Stamps {
		link_issued_ms?: number; link_opened_ms?: number; camera_granted_ms?: number; ice_connected_ms?: number;
		first_rtp_ms?: number; first_keyframe_ms?: number; first_drawn_ms?: number; two_way_ms?: number;
	}
	interface Scene {
		id: string; incident: string; name: string; person?: string | null; state: SceneState; why?: string;
		video?: string; audio?: string; muted?: boolean; mic_muted_by?: string;
		on_wall: { wall: string; window: number }[]; talk?: boolean; position?: Position | null; stamps: Stamps;
	}
	interface Escalation {
		step: number; minutes: number; due_ms: number; fired_ms: number; acked_ms: number; acked_by?: string | null; who?: string; text_zh?: string; text_en?: string;
		state: 'waiting' | 'fired' | 'acked' | 'cancelled';
	}
	interface Link {
		id: string; scene: string; person?: string | null; name: string; issued_ms: number; opened_ms: number;
		expires_ms: number; state: 'issued' | 'opened' | 'expired' | 'revoked' | 'ended'; url?: string;
	}
	interface Incident {
		id: string; number: string | number; kind: string; level: number; place: string; lat?: number | null; lon?: number | null;
		text: string; drill: boolean; opened_ms: number; closed_ms: number; t0_ms: number; deadline_ms: number;
		verdict: 'running' | 'met' | 'missed' | 'closed_unmet'; met_ms: number; first_wall_ms: number;
		escalations: Escalation[]; scenes: Scene[]; links: Link[]; notes?: unknown;
	}
	interface Window {
		window: number; scene: string | null; stream: string | null; audio?: string | null; incident?: string | null; name?: string; drill?: boolean;
		state: WindowState; drawn_ms: number; since_ms: number;
	}
	interface Wall { id: string; name: string; layout: number; online: boolean; windows: Window[] }
	interface Division { id: string; parent: string | null; code?: string; name: string }
	interface Site { id: string; division: string; name: string; kind: string; address?: string }
	interface Person { id: string; division: string; name: string; title?: string; phone?: string; duty?: boolean }
	interface Device { id: string; site: string; name: string; kind: string }
	interface Directory { divisions: Division[]; sites: Site[]; people: Person[]; devices: Device[] }
	interface LogRecord {
		seq: number; at_ms: number; actor: string; type: string; text?: string; body?: unknown; hash?: string; incident?: string;
	}
	interface CertificateStamp { step: string; at_ms: number | null; elapsed_ms: number | null; by: string; seq?: number; hash?: string }
	interface Certificate {
		incident: Partial<Incident>; t0_ms: number; deadline_ms: number; verdict: string; met_ms: number; elapsed_ms: number;
		scenes: { scene: string; name: string; stamps: CertificateStamp[] }[]; escalations: Escalation[];
		log_head?: { seq: number; hash: string }; issued_ms: number;
	}
	interface Flow { codec: string; width: number; height: number; fps: number; bitrate_bps: number; loss: number; security?: string; view?: string }
	interface Party {
		id: string; conference: string; name: string; site: string | null; kind: 'browser' | 'sip' | 'trunk' | 'room'; address: string | null; direction: 'in' | 'out';
		agent: string | null; state: SceneState; why: string | null; role: 'chair' | 'participant' | 'observer'; mic_muted: boolean; mic_muted_by?: string | null;
		speaker_muted: boolean; speaker_muted_by?: string | null; in_db: number; out_db: number; speaking: boolean; view: string; audio: string | null;
		video: string | null; slides: string | null; joined_ms: number; left_ms: number; attempts: number; next_try_ms: number; keep?: boolean; sends: Flow; gets: Flow;
		control?: PartyControl;
	}
	interface Poll { parties: string[]; interval_ms: number; paused: boolean; party: string | null }
	interface PartyControl { sees: string; waiting: boolean; hidden: boolean; loop_audio: boolean; loop_video: boolean; poll: Poll | null }
	interface Control {
		main_site: string | null; floor: string | null; hands: { party: string; since_ms: number }[]; chair_asking: string[]; lobby: boolean; ends_ms: number;
		broadcast: { mode: 'none' | 'site' | 'layout' | 'poll' | 'voice' | 'lecture'; party: string | null; by: string | null; since_ms: number; poll: Poll | null };
		priority: number; parent: string | null; voice: { speak_ms: number; hold_ms: number; level_db: number };
	}
	type CellMode = 'empty' | 'fixed' | 'voice' | 'poll' | 'content';
	interface Cell { cell: number; mode: CellMode; by_hand: boolean; party: string | null; parties: string[]; interval_ms: number }
	interface View {
		id: string; layout: string; auto: boolean; titles: boolean; clock: boolean; banner: string | null; alarm: string | null; crawl?: string | null; stream: string; shown_ms: number; cells: Cell[];
	}
	interface Conference {
		id: string; number: string; name: string; has_password: boolean; state: 'open' | 'closed'; locked: boolean; auto_redial: boolean; drill: boolean;
		incident: string | null; opened_ms: number; closed_ms: number; chair: string | null; speaker: string | null; mix: { state: string; why: string };
		content: { holder: string | null; locked: boolean; since_ms: number; asking: string[] }; parties: Party[]; views: View[]; layouts: string[];
		control?: Control;
	}
	interface Trunk { name: string; address: string; state: string; why: string; since_ms: number; calls: number }
	interface Endpoint { user: string; name?: string; site?: string; md5: boolean; made_ms: number; registered: boolean; why?: string }
	type Result = 'not_called' | 'present' | 'present_late' | 'no_picture' | 'no_sound' | 'no_answer' | 'unreachable' | 'excused';
	interface RollFigures { black: boolean; frozen: boolean; looped: boolean; silent: boolean; clipped: boolean; loss: number; bitrate_bps: number; answer_ms: number }
	interface RollEntry {
		site: string; name: string; party: string | null; state: SceneState; result: Result; why: string | null; by: string | null; called_ms: number; answered_ms: number;
		shown_ms: number; done_ms: number; turn: boolean; figures: RollFigures | null; measured: Result | null;
		code: { digits: string; state: 'shown' | 'right' | 'wrong' } | null; still: Evidence | null; clip: Evidence | null;
		/** of a circular only */
		last?: { result: Result; at_ms: number; misses: number; of: number } | null;
	}
	interface Evidence { file: string; sha256: string; bytes: number; at_ms: number }
	interface RollSchedule {
		id: string; name: string; sites: string[]; ahead: number; dwell_ms: number; minute: number; days: number; hang_up: boolean; drill: boolean;
		next_ms: number; last_ms: number; missed_ms: number; rollcall: string | null;
	}
	interface RollStat { site: string; name: string; called: number; share: number; answer_ms: number; faults: Record<string, number>; totals: Record<Result, number> }
	interface RollCall {
		id: string; conference: string; name: string; state: 'ready' | 'running' | 'paused' | 'closed'; drill: boolean; opened_ms: number; started_ms: number; closed_ms: number;
		dwell_ms: number; ahead: number; hang_up: boolean; sites: number; totals: Record<Result, number>; entries?: RollEntry[];
	}
	interface Circular extends RollCall { issued_ms: number; node: string; log_head: { seq: number; hash: string }; log_signature: unknown; public_key?: string }
	interface RoomCall {
		party: string; conference: string; number: string; name: string; state: SceneState; kind: 'call' | 'rollcall' | 'check'; auto: boolean; drill: boolean;
		incident: string | null; taken: boolean;
	}
	interface RoomHealth { camera: boolean; microphone: boolean; sound: boolean; rtt_ms: number; jitter_ms: number; width: number; height: number; loss: number; agent: string; at_ms: number }
	type CallAckState = 'waiting' | 'sent' | 'delivered' | 'ringing' | 'answered' | 'acked' | 'failed' | 'cancelled';
	interface CallAckWay { channel: 'page' | 'call' | 'link' | 'sms' | 'voice'; to: string; state: CallAckState; why: string | null; since_ms: number; sent_ms: number; delivered_ms: number; ringing_ms: number; acked_ms: number }
	interface CallAckRow {
		row: number; post: string; name: string; person: string | null; site: string | null; together: boolean; wait_ms: number; state: CallAckState; tried_ms: number; acked_ms: number;
		acked_by: string | null; channel: string | null; party: string | null; party_state: SceneState | null; ways: CallAckWay[];
	}
	interface CallAck {
		id: string; conference: string; number: string; incident: string | null; drill: boolean; text: string; state: 'running' | 'done' | 'closed'; by: string; why: string | null;
		opened_ms: number; closed_ms: number; posts: number; acked: number; spent: number; rows: CallAckRow[];
	}
	interface ReadyEntry {
		site: string; name: string; call: boolean; registered: boolean; done: boolean; score: number; faults: { fault: string; points: number }[]; answer_ms: number; bitrate_bps: number;
		rtt_ms: number; loss: number; picture: boolean; sound: boolean; done_ms: number;
	}
	interface Ready { id: string; state: 'running' | 'closed'; by: string; opened_ms: number; closed_ms: number; sites: number; done: number; failing: number; entries?: ReadyEntry[] }
	interface Siren { callack: string; row: number; name: string; text: string; drill: boolean; since_ms: number }
	interface Room {
		device: string; address: string; name: string; site: string | null; site_name: string | null; answer: 'rollcall' | 'auto' | 'ask'; call: RoomCall | null; online: number;
		health: RoomHealth | null; siren?: Siren | null;
	}
	interface SceneStats { incident: string; scene: string; loss?: number; bitrate_bps?: number; rtt_ms?: number; fps?: number }
	interface Config {
		name?: string; map_tiles?: string; map_attribution?: string; division_outline?: string;
		map?: { tiles?: string; attribution?: string; outline?: string };
	}
}
