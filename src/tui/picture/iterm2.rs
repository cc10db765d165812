//! iTerm2's inline pictures (<https://iterm2.com/documentation-images.html>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::layout::Size;

/// Shows the PNG file `png` where the cursor is, in so many cells.
pub fn show(png: &[u8], Size { width, height }: Size) -> String {
    let (bytes, data) = (png.len(), STANDARD.encode(png));
    format!(
        "\x1b]1337;File=inline=1;size={bytes};width={width};height={height};preserveAspectRatio=0;doNotMoveCursor=1:{data}\x07"
    )
}
