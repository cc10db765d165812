//! The table of keys in docs/dashboard.md is that of the program.

use super::{Keymap, Scope};

const BEGIN: &str = "<!-- keys -->\n";
const END: &str = "<!-- end of keys -->";

fn table() -> String {
    let keymap = Keymap::default();
    let mut table = String::new();
    for scope in Scope::ALL.into_iter().filter(|&scope| keymap.of(scope).next().is_some()) {
        table += &format!("\n**{}**\n\n| keys | does | name |\n|---|---|---|\n", scope.title());
        for row in keymap.of(scope) {
            let keys: Vec<String> =
                row.keys.iter().map(|key| format!("`{}`", key.name().replace('|', "\\|"))).collect();
            table += &format!("| {} | {} | `{}` |\n", keys.join(" "), row.binding.help.replace('|', "\\|"), row.name);
        }
    }
    table + "\n"
}

/// `FINETOP_WRITE_DOCS=1 cargo test --lib the_manual` writes it.
#[test]
fn the_manual_has_every_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dashboard.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (said, after) = rest.split_once(END).unwrap();
    if std::env::var_os("FINETOP_WRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(said, table(), "FINETOP_WRITE_DOCS=1 cargo test --lib the_manual writes docs/dashboard.md");
}
