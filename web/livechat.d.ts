// SPDX-License-Identifier: MIT
// Types of livechat.js, and of everything that its server sends and takes.

/** A moderator's or the platform's announcement. */
export interface AnnouncementData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** `PRIMARY`, `BLUE`, `GREEN`, `ORANGE` or `PURPLE`. */
  color?: string;
}

/** A moderator's or the platform's announcement. */
export interface AnnouncementEvent {
  type: "announcement";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: AnnouncementData;
}

/** Who wrote a message. */
export interface Author {
  /** The platform's stable id of the user. */
  id: string;
  /** Login, handle without `@`, or unique id. */
  username: string;
  /** The name as it is shown. */
  display_name: string;
  /** Address of the picture; null where there is none. */
  avatar_url: string | null;
  /** What the author is in this channel. */
  roles: Roles;
  /** The badges beside the name, in the platform's order. */
  badges: Badge[];
  /** Of the name, as `#RRGGBB`. */
  color?: string;
}

/** One badge beside a name. */
export interface Badge {
  /** What it stands for; `custom` for everything without a word of its own. */
  type: "custom" | "moderator" | "subscriber" | "verified";
  /** The platform's own name for it. */
  label: string;
  /** Address of its picture; null where it is not known. */
  image_url: string | null;
  /** Of subscription, exactly; the badge itself shows only a step. */
  months?: number;
  /** Of the subscription, by the platform's name, where the badge shows one. */
  tier?: string;
  /**
   * What the platform writes where the badge is pointed at, for example `6-Month Subscriber`, if
   * that is not the label.
   */
  title?: string;
}

/** Who wrote a message, what, and what kind of message it is. */
export interface ChatData {
  /** Who wrote it. */
  author: Author;
  /** What it says. */
  content: Content;
  /** What kind of message it is. */
  metadata: ChatMetadata;
}

/** One message of one user. */
export interface ChatItem {
  type: "chat";
  /** Where it was written. */
  platform: string;
  /** When it was written, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** The platform's id of it. */
  message_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  /** Who wrote it, what, and what kind of message it is. */
  data: ChatData;
}

/** A message that a user wrote. */
export interface ChatMessage {
  type: "chat";
  /** The message. */
  data: ChatItem;
  /** Of the channel. */
  platform: string;
  /** Of the channel, canonical. */
  identifier: string;
  /** Its number in the order of everything that the channel publishes. */
  seq: number;
}

/** What kind of message it is. */
export interface ChatMetadata {
  /** `super_chat` for a paid message. */
  type: "chat" | "super_chat";
  /** What was paid for it. */
  monetary_data?: MonetaryData;
  /** The paid sticker that it shows. */
  sticker?: Sticker;
  /** It was written with `/me`, which is not part of `raw`. */
  action?: boolean;
  /** It is the author's first in this channel. */
  first_message?: boolean;
  /** The platform shows it emphasised. */
  highlighted?: boolean;
  /**
   * It was sent by the platform's account for users who hide; that one is not counted as a user.
   */
  anonymous?: boolean;
  /** The platform's name of the event that this text came with, for example `resub`. */
  notice?: string;
  /** The channel-point reward that was redeemed with it. */
  reward_id?: string;
  /** The message that it answers. */
  reply?: Reply;
  /** Twitch shared chat: the room in which it was written. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /**
   * Twitch: the power-up or reward with which it was sent: `gigantified-emote-message`, `animated-
   * message` or `skip-subs-mode-message`.
   */
  effect?: string;
  /** Twitch: which animation that was. */
  animation?: string;
}

/** Every message of a client. */
export type ClientMessage =
  | Subscribe
  | Unsubscribe
  | GetStats
  | Ping;

/** The text of a message in five renderings. */
export interface Content {
  /** As it was written. */
  raw: string;
  /** With every emote as its code between a pair of colons. */
  formatted: string;
  /** The text alone, without emotes. */
  sanitized: string;
  /**
   * As HTML: text in `<span class="text">`, emotes as `<img class="emote">`, every value escaped.
   */
  rawHtml: string;
  /** Runs of text and emotes; together they are `raw`, without gaps. */
  elements: ContentElement[];
}

/** A run of text or one emote. */
export interface ContentElement {
  /** Which of the two. */
  type: "emote" | "text";
  /** The text, or what stands for the emote in `raw`. */
  value: string;
  /** Start and end in `raw` in UTF-16 code units: `raw.slice(start, end)` is `value`. */
  position: [number, number];
  /** Of an emote: its picture. */
  metadata?: EmoteMetadata;
}

/** One message, or the whole chat, was removed. */
export interface DeletionData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** What was removed; `message_id` names a message. */
  scope: "chat" | "message";
  /** Who wrote the message; null where it is not told. */
  author?: Person | null;
  /** A text that the platform shows in its place. */
  shown?: string;
  /** What the message said. */
  removed_text?: string;
}

/** One message, or the whole chat, was removed. */
export interface DeletionEvent {
  type: "deletion";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: DeletionData;
}

/** A donation to charity. */
export interface DonationData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Its name; null where it is not told. */
  charity?: string | null;
  /** What was given. */
  price: Price | null;
}

/** A donation to charity. */
export interface DonationEvent {
  type: "donation";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: DonationData;
}

/** The picture behind an emote. */
export interface EmoteMetadata {
  /** Address of the picture, always https. */
  url: string;
  /** What to show or read where the picture cannot be seen. */
  alt: string;
  /** It belongs to a channel or user rather than to the platform. */
  is_custom: boolean;
  /** What a cheermote is worth. */
  bits?: number;
  /** It is a GIF that stands for a caption, not an emote. */
  gif?: boolean;
  /** Whose emote it is, where it is not the platform's: `7tv`, `bttv` or `ffz`. */
  provider?: string;
  /** Of an emote of a provider: it moves. */
  animated?: boolean;
  /**
   * Of an emote of a provider: it is drawn upon the emote before it, if only blanks are between the
   * two.
   */
  zero_width?: boolean;
}

/** Why something that a client asked for was not done, or has ended. */
export interface ErrorMessage {
  type: "error";
  /** One English sentence, for people; it may change. */
  error: string;
  /** What happened, for programs. */
  code: "STREAM_NOT_LIVE" | "STREAM_ENDED" | "INVALID_MESSAGE_TYPE" | "NO_ACTIVE_CHAT" | "STREAM_NOT_FOUND" | "UNSUPPORTED_PLATFORM" | "INVALID_IDENTIFIER" | "INVALID_OPTION" | "UPSTREAM_UNAVAILABLE" | "TOO_MANY_CHATS" | "TOO_MANY_FILTERS" | "RATE_LIMITED" | "FORBIDDEN";
  /** A reason for programs, or a short explanation. */
  details?: string;
  /** Of the chat that it is about. */
  platform?: string;
  /** Of the chat that it is about, as the client sent it. */
  identifier?: string;
  /** When a stream that has not begun is announced to begin, ISO 8601 UTC. */
  scheduledStart?: string;
  /** Whether the same command may succeed later; absent where the command itself is wrong. */
  temporary?: boolean;
  /** What the client called the command that this answers. */
  id?: string | number;
}

/** Anything else that happens in a chat; sent only to clients that asked for its kind. */
export type EventItem =
  | AnnouncementEvent
  | DeletionEvent
  | DonationEvent
  | FollowEvent
  | GapEvent
  | GiftEvent
  | GoalEvent
  | JoinEvent
  | LikeEvent
  | MilestoneEvent
  | NoticeEvent
  | PinEvent
  | PollEvent
  | QuestionEvent
  | RaidEvent
  | RoomEvent
  | ShareEvent
  | StreamEvent
  | SubscriptionEvent
  | TimeoutEvent
  | ViewersEvent;

/** A kind of event. */
export type EventKind =
  | "announcement"
  | "deletion"
  | "donation"
  | "follow"
  | "gap"
  | "gift"
  | "goal"
  | "join"
  | "like"
  | "milestone"
  | "notice"
  | "pin"
  | "poll"
  | "question"
  | "raid"
  | "room"
  | "share"
  | "stream"
  | "subscription"
  | "timeout"
  | "viewers";

/** Something that happened and is no user's message; only for those who asked for events. */
export interface EventMessage {
  type: "event";
  /** What happened. */
  data: EventItem;
  /** Of the channel. */
  platform: string;
  /** Of the channel, canonical. */
  identifier: string;
  /** Its number in the order of everything that the channel publishes. */
  seq: number;
}

/** Which chats are delivered: those for which all given conditions hold. */
export interface Filter {
  /** Types of message; others are left out. */
  only_types?: ("chat" | "super_chat")[] | null;
  /** Roles; who has none of them is left out. */
  only_roles?: ("broadcaster" | "moderator" | "subscriber" | "verified")[] | null;
  /** Logins, handles or display names, with or without `@`; others are left out. */
  only_users?: string[] | null;
  /** The same; who is named is left out. */
  exclude_users?: string[] | null;
  /** Whole words, or emote codes; what has none of them is left out. */
  only_words?: string[] | null;
  /** The same; what has any of them is left out. */
  exclude_words?: string[] | null;
  /** What begins with any of them is left out. */
  exclude_prefixes?: string[] | null;
  /** Of `raw` in Unicode code points; what is longer is left out. */
  max_length?: number | null;
}

/** Somebody followed the channel. */
export interface FollowData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Followers so far. */
  count?: number;
}

/** Somebody followed the channel. */
export interface FollowEvent {
  type: "follow";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: FollowData;
}

/** Part of the chat was not received. */
export interface GapData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** The last moment before it, ISO 8601 UTC. */
  from: string;
  /** When messages flowed again, ISO 8601 UTC. */
  to: string;
  /** The upstream was lost; nobody watched; or the node that read the chat failed. */
  reason: "failover" | "unwatched" | "upstream";
  /**
   * The platform gave all messages of that time afterwards. TikTok gives nothing else, so gifts and
   * other events of that time may be missing.
   */
  filled: boolean;
}

/** Part of the chat was not received. */
export interface GapEvent {
  type: "gap";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: GapData;
}

/** Asks for the statistics of a chat: of the one named, or of the one subscribed last. */
export interface GetStats {
  type: "get_stats";
  /** As in `subscribe`. */
  platform?: string;
  /** As in `subscribe`. */
  identifier?: string;
  /** As in `subscribe`. */
  identifierType?: "channelId" | "liveId" | "username";
  /** Echoed in the answer. */
  id?: string | number | null;
}

/** A gift: a subscription or membership for others, or a virtual gift of the platform. */
export interface GiftData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** `subscription` for subscriptions and memberships, `virtual` for all else. */
  gift_type: "subscription" | "virtual";
  /** Who got it; null where it is not told, or where it was for many. */
  recipient?: Person | null;
  /** How many; null where it is not told. */
  count: number | null;
  /** What the platform calls it. */
  name?: string | null;
  /** Its picture; null where there is none. */
  image_url?: string | null;
  /** Of all together; null where it is not told. */
  price: Price | null;
  /** How many months were given. */
  months?: number;
  /** Of the subscription, by the platform's name. */
  tier?: string | null;
  /** The channel's own name of that tier. */
  tier_name?: string;
  /** Equal for the parts of one large gift. */
  gift_id?: string;
  /** How many this user has ever given here. */
  total?: number;
  /** The platform's id of the thing that was given. */
  item_id?: string;
  /** For how many months the recipient has subscribed, all together. */
  recipient_months?: number;
  /** Which event of the platform the reward belongs to. */
  domain?: string;
  /** What set the reward off. */
  trigger?: string;
  /** How much of it. */
  trigger_amount?: number;
  /** How many rewards there were in all. */
  total_count?: number;
}

/** A gift: a subscription or membership for others, or a virtual gift of the platform. */
export interface GiftEvent {
  type: "gift";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: GiftData;
}

/** A goal of the stream, and how far it is; `user` is who brought it further. */
export interface GoalData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** The platform's id of the goal. */
  goal_id: string;
  /** How far it is; null where it is not told. */
  progress?: number | null;
  /** What is to be reached; null where it is not told. */
  target?: number | null;
  /** What is counted; null where it is not told. */
  unit?: string | null;
  /** What it consists of. */
  parts?: GoalPart[];
}

/** A goal of the stream, and how far it is; `user` is who brought it further. */
export interface GoalEvent {
  type: "goal";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: GoalData;
}

/** One part of a goal. */
export interface GoalPart {
  /** The platform's id of what is collected. */
  item_id: string;
  /** What the platform calls it. */
  name: string;
  /** Its picture; null where there is none. */
  image_url: string | null;
  /** How many there are. */
  progress: number;
  /** How many it takes. */
  target: number;
}

/** What is kept of a channel (`GET /history`): no message of the protocol, but full of them. */
export interface History {
  /** Which order the `seq` of messages belongs to. */
  epoch: string;
  /** The number of the last message that was published. */
  seq: number;
  /** Oldest first. */
  messages: (ChatMessage | EventMessage)[];
  /** Where `since` was given: whether nothing after it is missing. */
  recovered?: boolean;
}

/** Somebody entered the stream. */
export interface JoinData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Entrances so far. */
  count?: number;
  /** How many are watching; null where it is not told. */
  viewers?: number | null;
}

/** Somebody entered the stream. */
export interface JoinEvent {
  type: "join";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: JoinData;
}

/** Likes were given. */
export interface LikeData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** How many. */
  count: number;
  /** Of the whole stream; never falls. */
  total?: number | null;
}

/** Likes were given. */
export interface LikeEvent {
  type: "like";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: LikeData;
}

/** The statistics of one live of a channel whose lives are all watched at once. */
export interface LiveStats {
  /** How many messages were written, exactly. */
  totalMessages: number;
  /** How many users wrote. */
  uniqueUserCount: number;
}

/** A viewer reached a milestone. */
export interface MilestoneData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Which kind of milestone. */
  category: "bits_badge" | "fan_level" | "level" | "moderator_anniversary" | "sharing" | "watch_streak";
  /** Which one: streams, bits, months or the level; null where it is not told. */
  value: number | null;
  /** Points of the channel that the viewer got for it. */
  reward_points?: number;
  /** The platform's id of it. */
  milestone_id?: string;
}

/** A viewer reached a milestone. */
export interface MilestoneEvent {
  type: "milestone";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: MilestoneData;
}

/** What was paid. */
export interface MonetaryData {
  /** How much, as the platform writes the number. */
  amount: string;
  /** Amount and currency, as the platform shows them. */
  formatted: string;
  /** The colour in which the platform shows the message, as `#rrggbb`. */
  color: string;
  /** How much, as a number. */
  value: number;
  /** ISO 4217, or `BITS`, `DIAMONDS`, `JEWELS`. */
  currency: string;
}

/** A notice of the platform that has no kind of its own. */
export interface NoticeData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Everything that the platform sent with it, as strings. */
  params: Record<string, string>;
}

/** A notice of the platform that has no kind of its own. */
export interface NoticeEvent {
  type: "notice";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: NoticeData;
}

/** Somebody, as far as the platform says who. */
export interface Person {
  /** The platform's stable id; null where it is not told. Never a name in its place. */
  id: string | null;
  /** Login, handle without `@`, or unique id; null where it is not told. */
  username: string | null;
  /** As shown; null where it is not told. */
  display_name: string | null;
  /** Address of the picture; null where there is none. */
  avatar_url?: string | null;
  /** As in a chat message. */
  roles?: Roles;
  /** As in a chat message. */
  badges?: Badge[];
  /** Of the name, as in a chat message. */
  color?: string;
}

/** A message was pinned or unpinned; `user` is who pinned it. */
export interface PinData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Which of the two. */
  status: "pinned" | "unpinned";
  /** Equal in both. */
  pin_id: string;
  /** Who wrote the message. */
  author?: Person | null;
  /** The message, as in `chat`. */
  content?: Content;
  /** For how long it is pinned; null where it is not told. */
  seconds?: number | null;
  /** The gift that is pinned, where it is no message. */
  gift?: GiftData;
}

/** A message was pinned or unpinned; `user` is who pinned it. */
export interface PinEvent {
  type: "pin";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: PinData;
}

/** Asks for a `pong`: a heartbeat that a program in a browser can see. */
export interface Ping {
  type: "ping";
  /** Echoed in the answer. */
  id?: string | number | null;
}

/** One choice of a poll. */
export interface PollChoice {
  /** What it says. */
  text: string;
  /** How many chose it; null where it is not told. */
  votes: number | null;
  /** Its share, 0 to 1; null where it is not told. */
  ratio: number | null;
}

/** A poll opened, moved or closed. */
export interface PollData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Which of these. */
  status: "closed" | "opened" | "updated";
  /** The platform's id of the poll; null where it is not told. */
  poll_id: string | null;
  /** What is asked; null where it is not told. */
  question?: string | null;
  /** What can be chosen. */
  choices?: PollChoice[];
  /** Of all choices; null where it is not told. */
  votes?: number | null;
}

/** A poll opened, moved or closed. */
export interface PollEvent {
  type: "poll";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: PollData;
}

/** The answer to `ping`. */
export interface PongMessage {
  type: "pong";
  /** What the client called the command that this answers. */
  id?: string | number;
}

/** What something cost. */
export interface Price {
  /** How much; null where it is not known. */
  value: number | null;
  /** ISO 4217, or `BITS`, `DIAMONDS`, `JEWELS`; null where it is not known. */
  currency: string | null;
  /** As the platform shows it; null where it shows nothing. */
  formatted: string | null;
}

/** A question was asked or answered; `text` is the question. */
export interface QuestionData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** `opened`: the streamer calls for questions; `asked`: a viewer asks one. */
  status: "answered" | "asked" | "opened";
  /** The platform's id of it. */
  question_id: string;
}

/** A question was asked or answered; `text` is the question. */
export interface QuestionEvent {
  type: "question";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: QuestionData;
}

/** Viewers were sent from or to another channel; `user` is the other channel. */
export interface RaidData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Where they go, or that they stay. */
  direction: "cancelled" | "incoming" | "outgoing";
  /** How many; null where it is not told. */
  viewers: number | null;
  /** Of the other channel. */
  room_id?: string;
  /** Of the other stream. */
  live_id?: string;
  /** Of the banner that tells it; a `pin` event with this id takes it down. */
  pin_id?: string;
}

/** Viewers were sent from or to another channel; `user` is the other channel. */
export interface RaidEvent {
  type: "raid";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: RaidData;
}

/** The message that a message answers. */
export interface Reply {
  /** Its id. */
  message_id: string;
  /** Id of its author. */
  user_id: string;
  /** Login of its author. */
  username: string;
  /** Name of its author, as it is shown. */
  display_name: string;
  /** What it says. */
  text: string;
}

/** What the author is in this channel. */
export interface Roles {
  /** It is their channel. */
  broadcaster: boolean;
  /** May remove messages and users. */
  moderator: boolean;
  /** Pays for a subscription or membership. */
  subscriber: boolean;
  /** The platform vouches for who they are; on Twitch: a partner. */
  verified: boolean;
}

/** The rules of the chat, all together; each is null where it is not told. */
export interface RoomData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Only emotes may be written. */
  emote_only: boolean | null;
  /** Minutes that one must have followed; null also where there is no such rule. */
  followers_only: number | null;
  /** Seconds between two messages of one user; 0: no limit. */
  slow: number | null;
  /** Only subscribers may write. */
  subscribers_only: boolean | null;
  /** Every message must differ from the others. */
  unique: boolean | null;
}

/** The rules of the chat, all together; each is null where it is not told. */
export interface RoomEvent {
  type: "room";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: RoomData;
}

/** Every message of the server. */
export type ServerMessage =
  | StatusMessage
  | ErrorMessage
  | ChatMessage
  | EventMessage
  | StatsMessage
  | PongMessage;

/** Somebody shared the stream. */
export interface ShareData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Shares so far. */
  count?: number;
  /** With how many friends, where that is told. */
  friends?: number;
}

/** Somebody shared the stream. */
export interface ShareEvent {
  type: "share";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: ShareData;
}

/** A place in the order of a channel. */
export interface Since {
  /** Which order, as `started` named it. */
  epoch: string;
  /** The number of the last publication that the client has. */
  seq: number;
}

/** The statistics of one channel. */
export interface StatsData {
  /** The most active users, most active first. */
  uniqueUsers: StatsUser[];
  /** How many messages were written, exactly. */
  totalMessages: number;
  /** How many users wrote. */
  uniqueUserCount: number;
  /** `uniqueUserCount` is an estimate. */
  uniqueUserCountEstimated?: boolean;
  /** By how much `messageCount` may be wrong at most; 0 if absent. */
  messageCountError?: number;
  /** Messages of the last sixty seconds. */
  messagesPerMinute?: number;
  /** The most messages in one minute of the clock. */
  peakMessagesPerMinute?: number;
  /** The earliest time that a message bears, ISO 8601 UTC. */
  firstMessageTime?: string;
  /** The latest one. */
  lastMessageTime?: string;
  /** What was paid, by currency (ISO 4217) or unit (`BITS`, `DIAMONDS`, `JEWELS`). */
  money?: Record<string, number>;
  /** How many of each event kind. */
  events?: Record<string, number>;
  /** With `lives: all`, those of each live since the channel is watched, by its id. */
  lives?: Record<string, LiveStats>;
}

/** The statistics of one channel. */
export interface StatsMessage {
  type: "stats";
  /** The statistics. */
  data: StatsData;
  /** Of the channel. */
  platform: string;
  /** Of the channel, canonical. */
  identifier: string;
  /** What the client called the command that this answers. */
  id?: string | number;
}

/** How often one user wrote, and who they are as last seen. */
export interface StatsUser {
  /** The platform's stable id of the user. */
  id: string;
  /** Login, handle without `@`, or unique id. */
  username: string;
  /** The name as it is shown. */
  display_name: string;
  /** What the user is in this channel. */
  roles: Roles;
  /** How many messages the user wrote. */
  messageCount: number;
}

/** The state of one subscription. */
export interface StatusMessage {
  type: "status";
  /** The state. `subscribed` and `started` answer a subscribe that succeeds. */
  status: "ended" | "reconnecting" | "started" | "subscribed" | "unsubscribed" | "waiting";
  /** Of the stream: YouTube video id, Twitch login or TikTok room id. */
  liveId?: string;
  /** What the client sent. */
  identifier?: string;
  /** Of the chat. */
  platform?: string;
  /**
   * The canonical identifier, which the `chat`, `event` and `stats` messages of this subscription
   * carry.
   */
  channel?: string;
  /** Where statistics are stored at this moment: `memory` or `redis`. */
  storage_type?: string;
  /** Whether the streamer is on air; null where that could not be found out. */
  live?: boolean | null;
  /** YouTube: `all` messages, or `top` where it gives only its filtered Top chat. */
  feed?: string;
  /** TikTok: whether the room has sent anything since it was entered. */
  receiving?: boolean;
  /** Of `reconnecting`: why the upstream was lost. */
  reason?: string;
  /**
   * Of `waiting`: what is waited for, or why the channel is not live; of `ended`: why the stream
   * has ended, where that is known.
   */
  details?: string;
  /** Of `waiting`: when the stream is announced to begin, ISO 8601 UTC. */
  scheduledStart?: string;
  /** Of `started`: which order the `seq` of messages belongs to. */
  epoch?: string;
  /** Of `started`: the number of the last message before it; 0 for none. */
  seq?: number;
  /** Of `started`, where `since` was given: whether everything after it follows. */
  recovered?: boolean;
  /** What the client called the command that this answers. */
  id?: string | number;
}

/** The picture of a paid sticker. */
export interface Sticker {
  /** Address of the picture. */
  url: string;
  /** What to show or read where the picture cannot be seen. */
  alt: string;
}

/** The stream itself: it went live or offline, paused, went on, or what it says has changed. */
export interface StreamData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Which of these. */
  status: "changed" | "live" | "offline" | "paused" | "resumed";
  /** Of the stream. */
  title?: string;
  /** Of the stream. */
  category?: string;
  /** When it went live, ISO 8601 UTC. */
  started_at?: string;
  /** Of the stream. */
  live_id?: string;
}

/** The stream itself: it went live or offline, paused, went on, or what it says has changed. */
export interface StreamEvent {
  type: "stream";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: StreamData;
}

/** Asks for a chat; for one that is held, states all its options anew. */
export interface Subscribe {
  type: "subscribe";
  /** Echoed in every status and error that answers the command or later concerns the chat. */
  id?: string | number | null;
  /** `true` for all kinds of event, or a list of kinds; none if absent. */
  events?: boolean | EventKind[] | null;
  /** Whether statistics are pushed, or how often: every so many seconds. */
  stats?: boolean | number | null;
  /** `false` leaves out what is mirrored from another room of a shared chat. */
  mirrored?: boolean | null;
  /** So many of the last publications are sent after `started`, oldest first. */
  history?: number | null;
  /** Every publication after this place is sent after `started`, as far as it is kept. */
  since?: Since | null;
  /**
   * `true`: a channel that is not live is waited for, and so is the next stream after an end;
   * `status` messages say where that stands.
   */
  wait?: boolean | null;
  /**
   * `first`: the live that the channel shows; `all`: every one of a YouTube channel that has
   * several at once.
   */
  lives?: "all" | "first" | null;
  /** Which chats are delivered; all if absent. */
  filter?: Filter | null;
  /**
   * So many seconds after they came chats are delivered, unless they are deleted or their authors
   * timed out meanwhile.
   */
  hold?: number | null;
  /** `youtube` if absent, or the platform whose URL the identifier is. */
  platform?: string;
  /** The channel: a name with or without `@`, an id or a URL. */
  identifier: string;
  /** What kind of identifier it is. */
  identifierType?: "channelId" | "liveId" | "username";
}

/** A paid subscription or membership began, went on, was upgraded or reached a milestone. */
export interface SubscriptionData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Which of these. */
  status: "milestone" | "new" | "renewed" | "upgraded";
  /** All together; null where it is not told. */
  months: number | null;
  /** Without a break. */
  streak_months?: number;
  /**
   * By the platform's name: `Prime`, `1000`, a membership level, `super fan`; null where it is not
   * told.
   */
  tier: string | null;
  /** The channel's own name of that tier. */
  tier_name?: string;
  /** It was a present. */
  gifted?: boolean;
  /** Who gave it, or gave the one before; null where they hide. */
  gifter?: Person | null;
  /** Whom the subscriber gives one in turn; null where it is not told. */
  recipient?: Person | null;
  /** For how many months it was bought at once. */
  duration_months?: number;
  /** How many of those have passed. */
  tenure_months?: number;
  /** For how many months it was given. */
  gift_months?: number;
  /** Which of those begins. */
  gift_month?: number;
  /** The month of the year in which it ends. */
  end_month?: number;
  /** The offer under which it was bought. */
  promotion?: string;
  /** How many subscriptions were given under that offer. */
  promotion_total?: number;
}

/** A paid subscription or membership began, went on, was upgraded or reached a milestone. */
export interface SubscriptionEvent {
  type: "subscription";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: SubscriptionData;
}

/** A user was timed out or banned; `user` is who, and their messages are gone. */
export interface TimeoutData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** For how long; null: for good, or not told. */
  seconds: number | null;
  /** Why, where that is told. */
  reason?: string;
  /** A text that the platform shows in place of the messages. */
  shown?: string;
}

/** A user was timed out or banned; `user` is who, and their messages are gone. */
export interface TimeoutEvent {
  type: "timeout";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: TimeoutData;
}

/** Lets go of a chat: of the one named, or of the one subscribed last that is still held. */
export interface Unsubscribe {
  type: "unsubscribe";
  /** As in `subscribe`. */
  platform?: string;
  /** As in `subscribe`. */
  identifier?: string;
  /** As in `subscribe`. */
  identifierType?: "channelId" | "liveId" | "username";
  /** Echoed in the answer. */
  id?: string | number | null;
}

/** How many are watching. */
export interface ViewersData {
  /** Who did it; null where the platform hides it. */
  user?: Person | null;
  /** The platform's own sentence about it, plain text. */
  text?: string;
  /** The `chat` that holds the user's own words. */
  message_id?: string;
  /** The platform's own name of it, for example `resub`. */
  platform_kind?: string;
  /** Twitch shared chat: it happened in this other room. */
  source_room_id?: string;
  /** Twitch shared chat: its id in that room. */
  source_message_id?: string;
  /** Now. */
  viewers: number;
  /** Ever, where that is told. */
  total_viewers?: number;
}

/** How many are watching. */
export interface ViewersEvent {
  type: "viewers";
  /** Where it happened. */
  platform: string;
  /** When it happened, ISO 8601 UTC with milliseconds. */
  timestamp: string;
  /** Unique within the channel and kind; equal when the platform repeats itself. */
  event_id: string;
  /** The platform's id of the chat. */
  room_id: string;
  data: ViewersData;
}

// The client of livechat.js; above are the server's messages, made from the server itself.

/** A chat and its options, as `subscribe` takes them; also options that only a later server knows. */
export type Chat = Omit<Subscribe, "type"> & { [option: string]: unknown };

/** The options alone. */
export type ChatOptions = Partial<Omit<Subscribe, "type" | "platform" | "identifier" | "identifierType">> & {
  [option: string]: unknown;
};

/** A place in the order of a chat, as `since` takes it. */
export interface Position {
  epoch: string;
  seq: number;
}

export interface Command {
  type: string;
  [field: string]: unknown;
}

export type State = "connecting" | "open" | "lost" | "closed";

/** What listeners are told: an `Event` with further fields. */
export class LiveChatEvent extends Event {
  constructor(type: string, fields: object);
}

/** A message of the server. */
export type MessageEventOf<Message> = LiveChatEvent & {
  readonly message: Message;
  /** The message as it was sent. */
  readonly text: string;
  /** The subscription that it is about; null where it is about none, or nobody knows. */
  readonly subscription: Subscription | null;
};

/** A chat or an event; `data` is what is inside: the author and the text, or what the kind has. */
export type PublicationOf<Message, Data> = MessageEventOf<Message> & {
  readonly data: Data;
  /** Whether it happened before the chat started here: history, or what was missed. */
  readonly isReplayed: boolean;
};

/** An event of one kind, as the server sends it. */
export type EventOfKind<Kind extends EventKind> = Omit<EventMessage, "data"> & {
  data: Extract<EventItem, { type: Kind }>;
};

/** What the listeners of one chat are told, by the type of event. */
export type SubscriptionEvents = {
  chat: PublicationOf<ChatMessage, ChatMessage["data"]["data"]>;
  event: PublicationOf<EventMessage, EventMessage["data"]["data"]>;
  stats: MessageEventOf<StatsMessage> & { readonly data: StatsMessage["data"] };
  status: MessageEventOf<StatusMessage>;
  error: MessageEventOf<ErrorMessage> & {
    /** Milliseconds until the chat is asked for again, or null. */
    readonly retryIn: number | null;
    /** Whether the subscription has ended with this. */
    readonly isGivenUp: boolean;
  };
  /** Part of a chat cannot be had any more; with the `started` that says so. */
  missed: MessageEventOf<StatusMessage>;
} & {
  [Kind in EventKind as `event:${Kind}`]: PublicationOf<EventOfKind<Kind>, EventOfKind<Kind>["data"]["data"]>;
};

/** What the listeners of a client are told, by the type of event. */
export type LiveChatEvents = SubscriptionEvents & {
  /** Every message of the server, known or not; `subscription` also where it is about a chat. */
  message: MessageEventOf<{ readonly [field: string]: unknown }>;
  /** A command that left. */
  sent: LiveChatEvent & { readonly message: Command; readonly text: string };
  state: LiveChatEvent & {
    readonly state: State;
    /** With `connecting`: how many attempts failed before. */
    readonly attempt?: number;
    /** With `lost`: of the close. */
    readonly code?: number;
    readonly reason?: string;
    /** With `lost`: milliseconds until the next attempt. */
    readonly retryIn?: number;
  };
};

export interface LiveChatOptions {
  /** The class to connect with; the global one. */
  WebSocket?: new (address: string) => {
    addEventListener(type: "open" | "message" | "close" | "error", listener: (event: any) => void): void;
    send(text: string): void;
    close(code?: number): void;
  };
  /** Whether a chat that cannot be had for now is asked for again; true. */
  retryChats?: boolean;
  /** Keeps the places in the chats, so that a later client goes on there: `sessionStorage`. */
  storage?: { getItem(name: string): string | null; setItem(name: string, text: string): void } | null;
  /** 0 to 1; `Math.random`. */
  random?: () => number;
}

/** An `EventTarget` whose listeners are told by the type of event what they get. */
declare class TypedEventTarget<Events> {
  addEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  dispatchEvent(event: Event): boolean;
}

/** A chat that is subscribed to; made by `LiveChat.subscribe`. */
export class Subscription extends TypedEventTarget<SubscriptionEvents> {
  private constructor();
  readonly platform?: string;
  readonly identifier: string;
  readonly identifierType?: Chat["identifierType"];
  /** What this chat is called in commands. */
  get id(): string | number;
  /** The options as they were asked for last. */
  get options(): Readonly<ChatOptions>;
  /** The place up to which the chat was received, or null. */
  get position(): Position | null;
  /** Changes some options; those that are undefined return to their defaults. */
  change(options: ChatOptions): void;
  /** Asks for the statistics; they come as `stats`. False while there is no connection. */
  getStats(): boolean;
  /** Lets go of the chat; the connection stays. */
  unsubscribe(): void;
}

/** A connection that the first `subscribe` opens, and that is kept up until `close`. */
export class LiveChat extends TypedEventTarget<LiveChatEvents> {
  /** `address` may be left out where the module was loaded from the server. */
  constructor(address?: string | URL | null, options?: LiveChatOptions);
  get state(): State;
  /** What is subscribed to, or asked for again from time to time. */
  get subscriptions(): Subscription[];
  /** Subscribes now and after every loss; for a held chat, states its options anew. */
  subscribe(chat: Chat): Subscription;
  /** Lets go of a chat, named by its subscription or as for `subscribe`. */
  unsubscribe(chat: Subscription | Pick<Chat, "platform" | "identifier" | "identifierType">): void;
  /** False while there is no connection. */
  send(command: Command): boolean;
  /** Lets go of everything; a later `subscribe` begins anew. */
  close(): void;
}

/** Why the server closes a connection, in words. */
export const CLOSE_CODES: Readonly<Record<number, string>>;

/** The server's WebSocket, where the module was loaded from a server. */
export function defaultAddress(): string | null;

// Only what is marked so is exported.
export {};
