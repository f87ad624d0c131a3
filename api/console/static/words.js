// Numbers and times as people read them. Amounts arrive as decimal text.

const CENTS = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
const PLAIN = new Intl.NumberFormat("en", CENTS);
const SIGNED = new Intl.NumberFormat("en", { ...CENTS, signDisplay: "exceptZero" });
const KINDS = {
  daily: "Daily loss",
  max: "Maximum loss",
  weekly: "Weekly loss",
  daily_cap: "Daily cap",
  target: "Profit target",
  sticky_target: "Profit target",
  min_days: "Trading days",
  trading_days: "Trading days",
  profitable_days: "Profitable days",
  consistency: "Consistency",
};

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const minus = (text) => text.replace("-", "−");

export const money = (amount) => minus(PLAIN.format(amount));
export const signed = (amount) => minus(SIGNED.format(amount));
export const percent = (amount) => `${signed(amount)} %`;
// A cap is crossed upwards, every other limit downwards.
export const beyond = (observed, level) => (Number(observed) > Number(level) ? "above" : "below");
export const kind = (name) => KINDS[name] || name;

// By what is shown: less than half a cent is neither.
export function tone(amount) {
  const shown = Math.round(amount * 100);
  if (shown === 0) return "flat";
  return shown > 0 ? "up" : "down";
}

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const TODAY = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit",
});

export function clock(text) {
  const at = new Date(text);
  const isToday = at.toDateString() === new Date().toDateString();
  return (isToday ? TODAY : CLOCK).format(at);
}

export function hours(at, timeZone) {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone }).format(at);
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

// Times that the server wrote in UTC, told in the reader's own zone.
export function localize(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    if (!time.dateTime) continue;
    time.textContent = clock(time.dateTime);
    time.title = `${time.dateTime} (shown in ${ZONE})`;
  }
}
