module why520

go 1.26
