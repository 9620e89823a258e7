#include "client/cli/terminal_lines.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::cli {
namespace {

constexpr std::size_t kShownMax = 200;
constexpr unsigned kTerminalColumns = 80;  // for lists; the terminal wraps what is longer

class TerminalLines final : public LineSource {
 public:
  TerminalLines(LineHooks hooks, ShellHistory* history) : hooks_(std::move(hooks)), kept_(history) {
    // Characters are those of the user's locale, which is UTF-8 where none is set.
    if (setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
    editor_ = el_init("drover", stdin, stdout, stderr);
    if (editor_ == nullptr) return;
    history_ = history_init();
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, static_cast<int>(ShellHistory::kLinesMax));
    ::history(history_, &event, H_SETUNIQUE, 1);
    for (const std::string& line : kept_->Load()) ::history(history_, &event, H_ENTER, line.c_str());
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &TerminalLines::Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_SIGNAL, 1);
    el_set(editor_, EL_HIST, ::history, history_);
    el_set(editor_, EL_GETCFN, &TerminalLines::NextCharacter);
    el_set(editor_, EL_ADDFN, "complete", "completes a command or a path", &TerminalLines::Tab);
    el_set(editor_, EL_BIND, "^I", "complete", nullptr);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(editor_, EL_BIND, "^W", "ed-delete-prev-word", nullptr);
  }
  ~TerminalLines() override {
    if (editor_ != nullptr) el_end(editor_);
    if (history_ != nullptr) history_end(history_);
  }
  [[nodiscard]] bool usable() const { return editor_ != nullptr; }

  LineOutcome Read(const std::string& prompt, std::string* line) override {
    prompt_ = prompt;
    interrupted_ = false;
    int length = 0;
    const char* const typed = el_gets(editor_, &length);
    if (interrupted_) {
      el_reset(editor_);
      std::fputs("^C\n", stdout);
      std::fflush(stdout);
      return LineOutcome::kInterrupted;
    }
    if (typed == nullptr || length <= 0) {
      std::fputs("\n", stdout);
      std::fflush(stdout);
      return LineOutcome::kEnd;
    }
    line->assign(typed, static_cast<std::size_t>(length));
    while (!line->empty() && (line->back() == '\n' || line->back() == '\r')) line->pop_back();
    if (ShellHistory::Keeps(*line)) {
      HistEvent event;
      ::history(history_, &event, H_ENTER, line->c_str());
      kept_->Add(*line);
    }
    return LineOutcome::kLine;
  }

 private:
  static TerminalLines* Self(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return static_cast<TerminalLines*>(self);
  }
  static char* Prompt(EditLine* editor) { return Self(editor)->prompt_.data(); }

  // 1: a character; 0: no more come.
  static int NextCharacter(EditLine* editor, wchar_t* character) { return Self(editor)->Next(character); }
  int Next(wchar_t* character) {
    std::mbstate_t state = {};
    while (true) {
      pollfd ready[2] = {{STDIN_FILENO, POLLIN, 0}, {hooks_.news_fd, POLLIN, 0}};
      if (poll(ready, 2, -1) < 0) {
        if (errno == EINTR) continue;
        return 0;
      }
      if (ready[1].revents != 0 && !ShowNews()) return 0;
      if (ready[0].revents == 0) continue;
      char byte = 0;
      const ssize_t n = read(STDIN_FILENO, &byte, 1);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) return 0;
      const std::size_t made = std::mbrtowc(character, &byte, 1, &state);
      if (made == static_cast<std::size_t>(-2)) continue;  // it goes on
      if (made == static_cast<std::size_t>(-1)) {
        state = {};
        continue;  // it is none: dropped
      }
      if (made == 0) *character = L'\0';
      return 1;
    }
  }

  // Above the line that is being typed; false: Ctrl-C was pressed.
  bool ShowNews() {
    std::fputs("\r\033[K", stdout);
    std::fflush(stdout);
    interrupted_ = hooks_.on_news();
    if (!interrupted_) el_set(editor_, EL_REFRESH);
    return !interrupted_;
  }

  static unsigned char Tab(EditLine* editor, int /*character*/) { return Self(editor)->Complete(); }
  unsigned char Complete() {
    const LineInfo* const info = el_line(editor_);
    const std::string before(info->buffer, info->cursor);
    std::size_t word_begin = 0;
    const Completion completion = hooks_.complete(before, &word_begin);
    if (!completion.shown.empty()) {
      Show(completion.shown);
      return CC_REDISPLAY;
    }
    if (completion.word.empty()) return CC_REFRESH_BEEP;
    const std::string word = before.substr(word_begin);
    el_deletestr(editor_, static_cast<int>(std::count_if(word.begin(), word.end(),
                                                         [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; })));
    if (el_insertstr(editor_, completion.word.c_str()) != 0) return CC_REFRESH_BEEP;
    return CC_REFRESH;
  }
  static void Show(const std::vector<std::string>& choices) {
    std::size_t width = 0;
    for (const std::string& choice : choices) width = std::max(width, choice.size() + 2);
    const std::size_t columns = std::max<std::size_t>(1, kTerminalColumns / width);
    std::string text = "\n";
    const std::size_t shown = std::min(choices.size(), kShownMax);
    for (std::size_t i = 0; i < shown; ++i) {
      const bool last = (i + 1) % columns == 0 || i + 1 == shown;
      absl::StrAppend(&text, choices[i], last ? "\n" : std::string(width - choices[i].size(), ' '));
    }
    if (shown < choices.size()) absl::StrAppend(&text, "... ", choices.size() - shown, " more\n");
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  const LineHooks hooks_;
  ShellHistory* const kept_;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  std::string prompt_;
  bool interrupted_ = false;
};

}  // namespace

std::unique_ptr<LineSource> LinesOfTerminal(LineHooks hooks, ShellHistory* history) {
  auto lines = std::make_unique<TerminalLines>(std::move(hooks), history);
  if (!lines->usable()) return nullptr;
  return lines;
}

}  // namespace drover::cli
