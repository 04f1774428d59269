// swinzoo completion: scripts for bash, zsh and fish, made from what the subcommands declare.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>

#include "cmd/command.h"
#include "cmd/options.h"

namespace swinzoo::cmd {
namespace {

// What may stand in the place of a value.
enum class Value { kNone, kWords, kFile, kModel, kOther };

// The type of an option whose value is a collection; its words are the built-in catalog's.
constexpr const char* kCollection = "COLLECTION";

struct Option {
  std::vector<std::string> names;  // with their dashes
  std::string about;
  std::string value_name;
  Value value = Value::kNone;
  std::vector<std::string> words;
  bool is_repeated = false;
};

// A command, or a command's own command.
struct Node {
  std::string name;
  std::string path;  // "cache/ls"; empty for swinzoo itself
  std::string about;
  std::vector<Option> options;
  Value arguments = Value::kNone;
  std::vector<std::string> argument_words;
  std::vector<Node> nodes;
};

Value value_of(const std::string& type) {
  const auto has = [&type](std::string_view part) { return type.find(part) != std::string::npos; };
  if (has("FILE.")) return Value::kFile;  // "FILE.md|xml" too
  if (has("|") || type == kCollection) return Value::kWords;
  if (has("MODEL") || has("ENTRY") || has("SRC")) return Value::kModel;
  if (has("FILE") || has("PATH") || has("INPUT") || has("RESULTS") || has("OUT.") || has(".json") ||
      has("DIR"))
    return Value::kFile;
  return Value::kOther;
}

Node node_of(const CLI::App& app, const std::string& path) {
  Node node{app.get_name(), path, app.get_description(), {}, Value::kNone, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    if (option->get_positional()) {
      const Value value = value_of(type + option->get_name(true));
      if (value != Value::kOther && node.arguments != Value::kModel) node.arguments = value;
      if (value == Value::kWords) node.argument_words = CLI::detail::split(type, '|');
      continue;
    }
    Option out;
    for (const std::string& name : option->get_snames()) out.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) out.names.push_back("--" + name);
    out.about = option->get_description();
    if (option->get_items_expected_max() > 0) {
      out.value = value_of(type);
      out.value_name = type;
      out.is_repeated = option->get_items_expected_max() > 1;
    }
    if (out.value == Value::kWords) {
      out.words =
          type == kCollection ? collections_of(zoo::Catalog::built_in()) : CLI::detail::split(type, '|');
    }
    node.options.push_back(std::move(out));
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    node.nodes.push_back(node_of(*sub, path.empty() ? sub->get_name() : path + "/" + sub->get_name()));
  }
  return node;
}

// Calls with each node, those below it first.
void visit(const Node& node, const std::function<void(const Node&)>& call) {
  for (const Node& below : node.nodes) visit(below, call);
  call(node);
}

// All commands as patterns of a shell's `case`: "COMMAND/WORD", where COMMAND stands before WORD.
std::string command_patterns(const Node& root, const char* separator) {
  std::vector<std::string> patterns;
  visit(root, [&](const Node& node) {
    if (!node.path.empty())
      patterns.push_back((node.path.find('/') == std::string::npos ? "/" : "") + node.path);
  });
  return fmt::format("{}", fmt::join(patterns, separator));
}

// Between single quotes of any shell here; fish knows \' and others '\''.
std::string in_quotes(const std::string& text, const char* quote = "'\\''") {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? quote : std::string(1, c);
  return out + "'";
}

// bash

constexpr const char* kBashHead =
    R"sh(# bash completion for swinzoo. In ~/.bashrc:  eval "$(swinzoo completion bash)"
_swinzoo() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= word
  [[ $current == '=' ]] && current=
  [[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    case "$command/$word" in
)sh";

constexpr const char* kBashTail = R"sh(
  [[ $current == -* ]] && words=$options kind=
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $kind == models ]] && COMPREPLY+=($(compgen -W "$("${COMP_WORDS[0]}" list -q 2>/dev/null)" -- "$current"))
  if [[ -n $kind ]]; then
    local IFS=$'\n'
    COMPREPLY+=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
  return 0
}
complete -F _swinzoo swinzoo
)sh";

std::string bash_of(const Node& root) {
  std::string commands, values;
  visit(root, [&](const Node& node) {
    std::vector<std::string> options, names = node.argument_words;
    for (const Node& below : node.nodes) names.push_back(below.name);
    for (const Option& option : node.options) {
      options.insert(options.end(), option.names.begin(), option.names.end());
      if (option.value == Value::kNone) continue;
      std::string pattern;
      for (const std::string& name : option.names) {
        pattern += fmt::format("{}'{}:{}'", pattern.empty() ? "" : "|", node.path, name);
      }
      const char* const kind = option.value == Value::kFile    ? "files"
                               : option.value == Value::kModel ? "models"
                                                               : "";
      values += fmt::format("    {}) words={} kind={} ;;\n", pattern,
                            in_quotes(fmt::format("{}", fmt::join(option.words, " "))), kind);
    }
    const char* const kind = node.arguments == Value::kModel  ? "models"
                             : node.arguments == Value::kFile ? "files"
                                                              : "";
    commands += fmt::format("    '{}') options='{}' words='{}' kind={} ;;\n", node.path,
                            fmt::join(options, " "), fmt::join(names, " "), kind);
  });
  return fmt::format(
      "{}      {}) command=${{command:+$command/}}$word ;;\n    esac\n  done\n"
      "  local options= words= kind=\n  case \"$command\" in\n{}  esac\n"
      "  case \"$command:$previous\" in\n{}  esac{}",
      kBashHead, command_patterns(root, "|"), commands, values, kBashTail);
}

// zsh

std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("[]:\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(Value value, const std::vector<std::string>& words) {
  switch (value) {
    case Value::kWords:
      return fmt::format("({})", fmt::join(words, " "));
    case Value::kFile:
      return "_files";
    case Value::kModel:
      return "_swinzoo_models";
    default:
      return " ";
  }
}

std::string zsh_function(const std::string& path) {
  std::string name = "_swinzoo";
  for (const char c : path.empty() ? "" : "/" + path) name += c == '/' ? "__" : std::string(1, c);
  return name;
}

std::string zsh_option(const Option& option) {
  std::vector<std::string> spelled;
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    spelled.push_back(name + (option.value == Value::kNone ? "" : is_long ? "=" : "+"));
  }
  std::string about = fmt::format("[{}]", zsh_text(option.about));
  if (option.value != Value::kNone) {
    about += fmt::format(":{}:{}", zsh_text(option.value_name), zsh_action(option.value, option.words));
  }
  const std::string repeated = option.is_repeated ? "*" : "";
  if (spelled.size() == 1) return in_quotes(repeated + spelled[0] + about);
  const std::string excluded =
      option.is_repeated ? "'*'" : fmt::format("'({})'", fmt::join(option.names, " "));
  return fmt::format("{}{{{}}}{}", excluded, fmt::join(spelled, ","), in_quotes(about));
}

std::string zsh_of(const Node& root) {
  std::string out = R"sh(#compdef swinzoo
# zsh completion for swinzoo: put it as _swinzoo into a folder of $fpath, or in ~/.zshrc after compinit:
#   source <(swinzoo completion zsh)
_swinzoo_models() {
  local -a models=(${(f)"$(_call_program models swinzoo list -q 2>/dev/null)"})
  _alternative 'models:model:compadd -a models' 'files:file:_files'
}
)sh";
  visit(root, [&](const Node& node) {
    std::string specs;
    for (const Option& option : node.options) specs += " \\\n    " + zsh_option(option);
    if (node.nodes.empty()) {
      if (node.arguments != Value::kNone) {
        specs += fmt::format(" \\\n    '*:argument:{}'", zsh_action(node.arguments, node.argument_words));
      }
      out += fmt::format("{}() {{\n  _arguments -s -S{}\n}}\n", zsh_function(node.path), specs);
      return;
    }
    std::string names, cases;
    for (const Node& below : node.nodes) {
      names += fmt::format("      {}\n", in_quotes(below.name + ":" + zsh_text(below.about)));
      cases += fmt::format("        {}) {} ;;\n", below.name, zsh_function(below.path));
    }
    out += fmt::format(
        "{}() {{\n  local curcontext=$curcontext state line\n  typeset -A opt_args\n"
        "  _arguments -C -s -S{} \\\n    '1: :->command' '*:: :->rest'\n"
        "  case $state in\n    command)\n      local -a commands=(\n{}      )\n"
        "      _describe -t commands command commands ;;\n"
        "    rest)\n      case $words[1] in\n{}      esac ;;\n  esac\n}}\n",
        zsh_function(node.path), specs, names, cases);
  });
  return out +
         "if [[ $funcstack[1] == _swinzoo ]]; then\n  _swinzoo \"$@\"\nelse\n  compdef _swinzoo "
         "swinzoo\nfi\n";
}

// fish

std::string fish_of(const Node& root) {
  std::string out = fmt::format(
      R"sh(# fish completion for swinzoo:  swinzoo completion fish > ~/.config/fish/completions/swinzoo.fish
function __swinzoo_at
  set -l command
  for word in (commandline -opc)[2..]
    switch "$command/$word"
      case {}
        set command (string trim --left --chars=/ -- "$command/$word")
    end
  end
  test "$command" = "$argv[1]"
end
complete -c swinzoo -f
)sh",
      command_patterns(root, " "));
  const auto fish = [](const std::string& text) { return in_quotes(text, "\\'"); };
  visit(root, [&](const Node& node) {
    const std::string at = fmt::format("complete -c swinzoo -n \"__swinzoo_at '{}'\"", node.path);
    for (const Node& below : node.nodes) {
      out += fmt::format("{} -a {} -d {}\n", at, below.name, fish(below.about));
    }
    if (node.arguments == Value::kModel) out += at + " -a '(command swinzoo list -q 2>/dev/null)'\n";
    if (node.arguments == Value::kWords) {
      out += fmt::format("{} -a '{}'\n", at, fmt::join(node.argument_words, " "));
    } else if (node.arguments != Value::kNone) {
      out += at + " -F\n";
    }
    for (const Option& option : node.options) {
      out += at;
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      switch (option.value) {
        case Value::kNone:
          break;
        case Value::kFile:
          out += " -rF";
          break;
        case Value::kModel:
          out += " -rF -a '(command swinzoo list -q 2>/dev/null)'";
          break;
        case Value::kWords:
          out += fmt::format(" -xa '{}'", fmt::join(option.words, " "));
          break;
        case Value::kOther:
          out += " -x";
          break;
      }
      out += fmt::format(" -d {}\n", fish(option.about));
    }
  });
  return out;
}

}  // namespace

Action setup_completion(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell, "bash, zsh or fish")
      ->check(one_of({"bash", "zsh", "fish"}))
      ->type_name("bash|zsh|fish")
      ->required();
  return [shell](const Globals&) {
    CLI::App whole("", "swinzoo");
    Globals globals;
    Action action;
    declare(whole, globals, action);
    const Node root = node_of(whole, "");
    fmt::print("{}", *shell == "bash" ? bash_of(root) : *shell == "zsh" ? zsh_of(root) : fish_of(root));
    return 0;
  };
}

}  // namespace swinzoo::cmd
