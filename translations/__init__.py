"""What is read, in other languages: from the English texts to PO files, and from these to translated texts.

    python -m translations update     bring the catalogues up to date with the English texts
    python -m translations check      fail on what is new, changed or not translated, and name it
    python -m translations make       write what is generated: notebooks/zh, README.zh-CN.md, the package's catalogue
                                      (pages of the site are made when the site is built)
    python -m translations leave FILE leave what is open in a file in English, with a mark

The catalogues are ordinary PO files: Poedit, Weblate and any text editor open them. It needs
``pip install "chainrule[translations]"``.
"""
